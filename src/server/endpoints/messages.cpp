#include "server/endpoints/messages.h"

#include "server/answers/message_writer.h"
#include "server/endpoints/generate.h"
#include "server/json/json_writer.h"
#include "server/requests/message_request.h"

namespace quire {

namespace {

Expected<> check_thinking(const ServedModel& model, const MessageRequest& request) {
  if (!request.must_think || model.output.reasoning_style != ReasoningStyle::kNone) return {};
  return fail_param("thinking", "thinking cannot be enabled: this model does not reason");
}

}  // namespace

ApiReply create_message(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_message_request);
  if (!request && request.error().param == "thread") {
    // By this word Anthropic's tool runner knows that it has to send the whole conversation.
    request.error().code = "thread_unsupported_request";
  }
  if (!request) return error_response(request.error());
  if (auto checked = check_thinking(api.model(), *request); !checked) {
    return error_response(to_api_error(checked.error()));
  }
  return generate(api, head, ChatRequest(std::move(*request)),
                  {.writer = make_message_writer(), .id_prefix = kMessageIdPrefix});
}

ApiReply count_message_tokens(const ApiState& api, const RequestHead&, std::string_view body) {
  const auto request = read_body(api, body, read_count_tokens_request);
  if (!request) return error_response(request.error());
  if (auto named = check_model_name(api, request->model); !named) return error_response(named.error());
  if (auto checked = check_thinking(api.model(), *request); !checked) {
    return error_response(to_api_error(checked.error()));
  }
  const auto chat =
      tokenize_chat(api.model(), {request->messages, request->offer.shown(), request->rendering});
  if (!chat) return error_response(to_api_error(chat.error()));
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("input_tokens", chat->tokens.size());
  json.end_object();
  return json_response(std::move(out));
}

}  // namespace quire
