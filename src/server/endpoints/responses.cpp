#include "server/endpoints/responses.h"

#include "server/answers/responses_writer.h"
#include "server/endpoints/generate.h"
#include "server/json/json_writer.h"
#include "server/requests/responses_request.h"

namespace quire {
namespace {

constexpr std::string_view kResponsesPath = "/v1/responses/";
constexpr std::string_view kInputItems = "/input_items";

ApiError response_not_found(std::string_view id, std::string param) {
  return {
      404,
      fmt::format("no response '{}' is stored: it was not to be, or others took its place", excerpt(id)),
      std::move(param), "response_not_found", 0};
}

// `item`, JSON of an object, with an id if it has none.
std::string with_id(const ApiState& api, std::string_view item) {
  if (item.find(R"("id":)") != std::string_view::npos) return std::string(item);
  return fmt::format(R"({{"id":"{}",{})", api.new_id("msg_"), item.substr(1));
}

// Puts the stored conversation before the request's messages, and its instructions before all.
ApiExpected<> add_context(const ApiState& api, ResponsesRequest& request) {
  if (const auto& previous = request.echo.previous_response_id) {
    const auto stored = api.responses.get(*previous, request.tenant);
    if (!stored) return std::unexpected(response_not_found(*previous, "previous_response_id"));
    request.messages.insert(request.messages.begin(), stored->conversation.begin(),
                            stored->conversation.end());
  }
  return {};
}

std::string item_list_json(const StoredResponse& stored) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (const auto& item : stored.input_items) json.raw(item);
  json.end_array();
  json.field("has_more", false);
  json.end_object();
  return out;
}

}  // namespace

ApiReply create_response(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_responses_request);
  if (!request) return error_response(request.error());
  request->tenant = head.tenant;
  if (auto added = add_context(api, *request); !added) return error_response(added.error());
  ResponsesPlan plan{.echo = request->echo,
                     .max_output_tokens = request->max_tokens,
                     .temperature = request->sampling.temperature,
                     .top_p = request->sampling.top_p,
                     .parallel_tool_calls = request->offer.parallel};
  if (request->store && api.responses.on()) {
    plan.store = &api.responses;
    plan.kept.tenant = request->tenant;
    plan.kept.conversation = request->messages;
    for (const auto& item : request->input_items) plan.kept.input_items.push_back(with_id(api, item));
  }
  if (const auto& instructions = request->echo.instructions) {
    request->messages.insert(request->messages.begin(), {.role = "system", .content = *instructions});
  }
  return generate(api, head, ChatRequest(std::move(*request)),
                  {.writer = make_responses_writer(std::move(plan)), .id_prefix = kResponseIdPrefix});
}

ApiReply get_response(const ApiState& api, const RequestHead& head, std::string_view) {
  std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  const bool items = id.ends_with(kInputItems);
  if (items) id.remove_suffix(kInputItems.size());
  const auto stored = api.responses.get(id, head.tenant);
  if (!stored) return error_response(response_not_found(id, {}));
  return json_response(items ? item_list_json(*stored) : stored->json);
}

ApiReply delete_response(const ApiState& api, const RequestHead& head, std::string_view) {
  const std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  if (!api.responses.remove(id, head.tenant)) {
    return error_response(response_not_found(id, {}));
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("id", id);
  json.field("object", "response");
  json.field("deleted", true);
  json.end_object();
  return json_response(std::move(out));
}

}  // namespace quire
