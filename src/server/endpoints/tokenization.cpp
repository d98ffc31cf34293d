#include "server/endpoints/tokenization.h"

#include "server/generation/prompt.h"
#include "server/json/json_writer.h"
#include "server/requests/tokenize_request.h"

namespace quire {
namespace {

Expected<std::vector<TokenId>> tokenize_request(const ServedModel& served, const TokenizeRequest& request) {
  if (request.prompt) {
    return tokenize_text(served, *request.prompt, request.add_special_tokens.value_or(true),
                         request.parse_special.value_or(true));
  }
  auto chat = tokenize_chat(served, {request.messages, request.tools, request.rendering});
  if (!chat) return std::unexpected(chat.error());
  const TokenizerSpec& spec = served.tokenizer.spec();
  if (request.add_special_tokens.value_or(false) && spec.add_bos && spec.bos) {
    chat->tokens.insert(chat->tokens.begin(), *spec.bos);
  }
  return std::move(chat->tokens);
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

// vLLM's names: evaluation harnesses that find them tokenize here, and need no tokenizer of their own.
ApiReply get_tokenizer_info(const ApiState& api, const RequestHead&, std::string_view) {
  const TokenizerSpec& spec = api.model().tokenizer.spec();
  std::string out;
  JsonWriter json(out);
  const auto token = [&](std::string_view name, std::optional<TokenId> id) {
    if (!id) return json.null_field(name);
    json.field(name, spec.tokens[static_cast<size_t>(*id)]);
  };
  json.begin_object();
  token("bos_token", spec.bos);
  token("eos_token", spec.eos);
  token("unk_token", spec.unknown);
  token("pad_token", spec.padding);
  json.field("add_bos_token", spec.add_bos);
  json.field("model_max_length", api.model().max_model_len());
  json.field("chat_template", spec.chat_template);
  json.end_object();
  return json_response(std::move(out));
}

}  // namespace quire
