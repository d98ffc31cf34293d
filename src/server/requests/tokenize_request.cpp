#include "server/requests/tokenize_request.h"

namespace quire {

std::vector<FieldRule> tokenize_rules(TokenizeRequest& request) {
  std::vector<FieldRule> rules = {
      model_rule(request.model),
      {"prompt", into(request.prompt), "a text; this, or messages"},
      {"messages", messages_into(request.messages), "a conversation, as the template renders it"},
      tools_rule(request.tools),
      {"add_special_tokens", into(request.add_special_tokens),
       "whether the model's BOS comes first, if it wants one: by default for a prompt, not for messages"},
      {"parse_special", into(request.parse_special),
       "whether spellings of special tokens in a prompt are those tokens, as in completions: by default "
       "so"},
      {"return_token_strs", into(request.return_token_strs), "the tokens as the vocabulary has them too"}};
  add_template_rules(rules, request.rendering);
  return rules;
}

std::vector<FieldRule> detokenize_rules(DetokenizeRequest& request) {
  return {model_rule(request.model), {"tokens", into(request.tokens), "ids of the vocabulary", true}};
}

Expected<TokenizeRequest> read_tokenize_request(const JsonFields& body) {
  TokenizeRequest request;
  if (auto read = read_fields(body, tokenize_rules(request)); !read) return std::unexpected(read.error());
  if (request.prompt && !request.messages.empty()) {
    return fail_param("messages", "prompt and messages cannot both be given");
  }
  if (request.prompt && !request.tools.empty()) {
    return fail_param("tools", "tools go with messages, which the chat template shows them beside");
  }
  if (!request.prompt && request.messages.empty())
    return fail_param("prompt", "prompt or messages is required");
  if (auto checked = check_template_options(request.rendering); !checked) {
    return std::unexpected(checked.error());
  }
  if (!request.messages.empty() && request.parse_special.value_or(false)) {
    return fail_param("parse_special",
                      "parse_special goes with a prompt: in messages only the template's own "
                      "special tokens are parsed");
  }
  return request;
}

Expected<DetokenizeRequest> read_detokenize_request(const JsonFields& body) {
  DetokenizeRequest request;
  if (auto read = read_fields(body, detokenize_rules(request)); !read) return std::unexpected(read.error());
  return request;
}

}  // namespace quire
