#include "server/tokenize_request.h"

namespace quire {

Expected<TokenizeRequest> read_tokenize_request(const JsonFields& body) {
  TokenizeRequest request;
  const FieldRule rules[] = {
      {"model", into(request.model)},
      {"prompt", into(request.prompt)},
      {"messages",
       [&](const JsonField& field) -> Expected<> {
         auto messages = read_messages(field);
         if (!messages) return std::unexpected(messages.error());
         request.messages = std::move(*messages);
         return {};
       }},
      tools_rule(request.tools),
      {"add_generation_prompt", into(request.add_generation_prompt)},
      {"add_special_tokens", into(request.add_special_tokens)},
      {"parse_special", into(request.parse_special)},
      {"return_token_strs", into(request.return_token_strs)},
  };
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (request.prompt && !request.messages.empty()) {
    return fail_param("messages", "prompt and messages cannot both be given");
  }
  if (request.prompt && !request.tools.empty()) {
    return fail_param("tools", "tools go with messages, which the chat template shows them beside");
  }
  if (!request.prompt && request.messages.empty())
    return fail_param("prompt", "prompt or messages is required");
  if (!request.messages.empty() && request.parse_special) {
    return fail_param("parse_special",
                      "parse_special goes with a prompt: in messages only the template's own "
                      "special tokens are parsed");
  }
  return request;
}

Expected<DetokenizeRequest> read_detokenize_request(const JsonFields& body) {
  DetokenizeRequest request;
  bool has_tokens = false;
  const FieldRule rules[] = {
      {"model", into(request.model)},
      {"tokens",
       [&](const JsonField& field) {
         has_tokens = true;
         return into(request.tokens)(field);
       }},
  };
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (!has_tokens) return fail_param("tokens", "tokens is required");
  return request;
}

}  // namespace quire
