#include "server/endpoints/responses.h"

#include "server/answers/item_list.h"
#include "server/answers/responses_writer.h"
#include "server/endpoints/generate.h"
#include "server/generation/oldest_turns.h"
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

// Puts the stored conversation before the request's messages.
ApiExpected<> add_context(const ApiState& api, ResponsesRequest& request) {
  if (const auto& previous = request.echo.previous_response_id) {
    const auto stored = api.responses.get(*previous, request.tenant);
    if (!stored) return std::unexpected(response_not_found(*previous, "previous_response_id"));
    request.messages.insert(request.messages.begin(), stored->conversation.begin(),
                            stored->conversation.end());
  }
  return {};
}

// What the answer shows of its request, and what is kept of it.
ResponsesPlan plan_response(const ApiState& api, const ResponsesRequest& request) {
  ResponsesPlan plan{.echo = request.echo,
                     .max_output_tokens = request.max_tokens,
                     .temperature = request.sampling.temperature,
                     .top_p = request.sampling.top_p,
                     .parallel_tool_calls = request.offer.parallel,
                     .truncation = request.drops_oldest ? "auto" : "disabled",
                     .top_logprobs = request.top_logprobs.value_or(0)};
  if (request.store && api.responses.on()) {
    plan.store = &api.responses;
    plan.kept.tenant = request.tenant;
    plan.kept.conversation = request.messages;
    plan.kept.input_items = request.input_items;
  }
  return plan;
}

// What a chat calls messages is `input` here.
ApiReply with_field_of_responses(ApiReply reply) {
  auto* response = std::get_if<HttpResponse>(&reply);
  if (response == nullptr || !response->error || response->error->param != "messages") return reply;
  ApiError error = *response->error;
  error.param = "input";
  return error_response(error);
}

}  // namespace

ApiReply create_response(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, [&](const JsonFields& fields) {
    return read_responses_request(
        fields, [&](std::string_view id) { return find_stored_item(api.responses, head.tenant, id); });
  });
  if (!request) return error_response(request.error());
  request->tenant = head.tenant;
  if (auto added = add_context(api, *request); !added) return error_response(added.error());
  ResponsesPlan plan = plan_response(api, *request);
  if (const auto& instructions = request->echo.instructions) {
    request->messages.insert(request->messages.begin(), {.role = "system", .content = *instructions});
  }
  if (request->drops_oldest) drop_oldest_turns(api.model(), *request);
  return with_field_of_responses(generate(api, head, ChatRequest(std::move(*request)),
                                          {.writer = make_responses_writer(std::move(plan)),
                                           .id_prefix = kResponseIdPrefix,
                                           .content_tokens = true}));
}

ApiReply get_response(const ApiState& api, const RequestHead& head, std::string_view) {
  const std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  const auto stored = api.responses.get(id, head.tenant);
  if (!stored) return error_response(response_not_found(id, {}));
  return json_response(stored->json);
}

ApiReply list_input_items(const ApiState& api, const RequestHead& head, std::string_view) {
  std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  id.remove_suffix(kInputItems.size());
  const auto page = read_item_page(head.query);
  if (!page) return error_response(to_api_error(page.error()));
  const auto stored = api.responses.get(id, head.tenant);
  if (!stored) return error_response(response_not_found(id, {}));
  auto list = item_list_json(stored->input_items, *page);
  return list ? json_response(std::move(*list)) : error_response(to_api_error(list.error()));
}

ApiReply delete_response(const ApiState& api, const RequestHead& head, std::string_view) {
  const std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  if (!api.responses.remove(id, head.tenant)) {
    return error_response(response_not_found(id, {}));
  }
  return deleted_response(id, "response");
}

}  // namespace quire
