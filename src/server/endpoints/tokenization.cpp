#include "server/endpoints/tokenization.h"

#include "server/json_writer.h"
#include "server/prompt.h"
#include "server/tokenize_request.h"

namespace quire {
namespace {

Expected<std::vector<TokenId>> tokenize_request(const ServedModel& served, const TokenizeRequest& request) {
  if (request.prompt) {
    return tokenize_text(served, *request.prompt, request.add_special_tokens.value_or(true),
                         request.parse_special);
  }
  auto ids = tokenize_messages(served, request.messages, request.add_generation_prompt);
  const TokenizerSpec& spec = served.tokenizer.spec();
  if (ids && request.add_special_tokens.value_or(false) && spec.add_bos && spec.bos) {
    ids->insert(ids->begin(), *spec.bos);
  }
  return ids;
}

std::string tokens_json(const ServedModel& model, std::span<const TokenId> ids, bool with_strings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("count", ids.size());
  json.field("max_model_len", model.max_model_len());
  json.key("tokens");
  json.begin_array();
  for (const TokenId id : ids) json.integer(id);
  json.end_array();
  json.key("token_strs");
  if (with_strings) {  // as the vocabulary spells them
    json.begin_array();
    for (const TokenId id : ids) json.string(model.tokenizer.spec().tokens[static_cast<size_t>(id)]);
    json.end_array();
  } else {
    json.null();
  }
  json.end_object();
  return out;
}

}  // namespace

ApiReply tokenize(const ApiState& api, const RequestHead&, std::string_view body) {
  const auto request = read_body(api, body, read_tokenize_request);
  if (!request) return error_response(request.error());
  if (auto named = check_model_name(api, request->model); !named) return error_response(named.error());
  const auto ids = tokenize_request(api.model(), *request);
  if (!ids) return error_response(to_api_error(ids.error()));
  return json_response(tokens_json(api.model(), *ids, request->return_token_strs));
}

ApiReply detokenize(const ApiState& api, const RequestHead&, std::string_view body) {
  const auto request = read_body(api, body, read_detokenize_request);
  if (!request) return error_response(request.error());
  if (auto named = check_model_name(api, request->model); !named) return error_response(named.error());
  if (auto checked = check_token_ids("tokens", api.model(), request->tokens); !checked) {
    return error_response(to_api_error(checked.error()));
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("prompt", api.model().tokenizer.decode(request->tokens, false));
  json.end_object();
  return json_response(std::move(out));
}

}  // namespace quire
