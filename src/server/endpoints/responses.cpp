#include "server/endpoints/responses.h"

#include "server/answers/item_list.h"
#include "server/answers/responses_writer.h"
#include "server/endpoints/generate.h"
#include "server/generation/oldest_turns.h"
#include "server/generation/prompt.h"
#include "server/json/json_writer.h"
#include "server/requests/responses_request.h"

namespace quire {
namespace {

constexpr std::string_view kResponsesPath = "/v1/responses/";
constexpr std::string_view kInputItems = "/input_items", kCancel = "/cancel";

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
    if (!stored->finished) {
      return std::unexpected(
          ApiError{400, fmt::format("the response '{}' has no answer to go on from", *previous),
                   "previous_response_id", "response_not_completed", 0});
    }
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
                     .top_logprobs = request.top_logprobs.value_or(0),
                     .background = request.background};
  if (request.store && api.responses.on()) {
    plan.store = &api.responses;
    plan.kept.tenant = request.tenant;
    plan.kept.conversation = request.messages;
    plan.kept.input_items = request.input_items;
  }
  return plan;
}

ApiExpected<> check_background(const ApiState& api, const ResponsesRequest& request) {
  if (!request.background) return {};
  const auto refused = [](std::string message) {
    return std::unexpected(ApiError{400, std::move(message), "background", {}, 0});
  };
  if (request.stream) return refused("background goes without stream: the response is asked for by its id");
  if (!request.store) return refused("background needs store: the response is asked for by its id");
  if (!api.responses.on()) return refused("background is not supported: this server stores no responses");
  return {};
}

// The request with the conversation that it goes on from.
ApiExpected<ResponsesRequest> read_request(const ApiState& api, const RequestHead& head,
                                           std::string_view body) {
  auto request = read_body(api, body, [&](const JsonFields& fields) {
    return read_responses_request(
        fields, [&](std::string_view id) { return find_stored_item(api.responses, head.tenant, id); });
  });
  if (!request) return std::unexpected(request.error());
  request->tenant = head.tenant;
  if (auto checked = check_background(api, *request); !checked) return std::unexpected(checked.error());
  if (auto added = add_context(api, *request); !added) return std::unexpected(added.error());
  return std::move(*request);
}

// Makes the conversation what the template is to show: with the instructions, and as long as is wanted.
void settle_messages(const ApiState& api, ResponsesRequest& request) {
  if (const auto& instructions = request.echo.instructions) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = *instructions});
  }
  if (request.drops_oldest) drop_oldest_turns(api.model(), request);
}

// What a chat calls messages is `input` here.
ApiError with_field_of_responses(ApiError error) {
  if (error.param == "messages") error.param = "input";
  return error;
}

// What is kept becomes what the run comes to, unless it was forgotten meanwhile.
void tell_store(const ResponsesPlan& plan, const ResponseContext& context, TenantId tenant,
                BackgroundJob::Stage stage, const ApiError* error) {
  using Stage = BackgroundJob::Stage;
  if (stage == Stage::kRefused) {
    plan.store->remove(context.id, tenant);
    return;
  }
  const auto stored = plan.store->get(context.id, tenant);
  if (!stored || stored->finished) return;
  const ApiError no_room = {500, "the answer takes too much room to be kept", {}, {}, 0};
  if (stage == Stage::kEnded && error == nullptr) error = &no_room;
  StoredResponse next = *stored;
  next.running = stage == Stage::kRuns;
  next.json = response_without_output(plan, context,
                                      stage == Stage::kRuns        ? "in_progress"
                                      : stage == Stage::kCancelled ? "cancelled"
                                                                   : "failed",
                                      error);
  plan.store->put(std::move(next));
}

// The answer of a run that goes on without its client.
ApiReply go_on(std::unique_ptr<AnswerRun> run, ResponsesPlan plan, const ResponseContext& context) {
  if (auto kept = keep_unfinished(plan, context); !kept) {
    return error_response(kept.error());
  }
  const TenantId tenant = plan.kept.tenant;
  plan.kept = {};
  HttpResponse response = json_response(response_without_output(plan, context, "queued"));
  BackgroundJob job = {.id = context.id, .tenant = tenant, .run = std::move(run), .tell = {}};
  job.tell = [plan = std::move(plan), context, tenant](BackgroundJob::Stage stage, const ApiError* error) {
    tell_store(plan, context, tenant, stage, error);
  };
  return BackgroundStart{std::move(job), std::move(response)};
}

}  // namespace

ApiReply create_response(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_request(api, head, body);
  if (!request) return error_response(request.error());
  const bool background = request->background;
  ResponsesPlan plan = plan_response(api, *request);
  settle_messages(api, *request);
  const ServedModel& served = api.model();
  const ResponseContext context = {.tokenizer = served.tokenizer,
                                   .id = api.new_id(kResponseIdPrefix),
                                   .model = request->model.empty() ? served.names.front() : request->model,
                                   .fingerprint = {},
                                   .created = api.clock.unix_seconds()};
  ApiReply reply = generate(api, head, ChatRequest(std::move(*request)),
                            {.writer = make_responses_writer(background ? plan : std::move(plan)),
                             .id_prefix = kResponseIdPrefix,
                             .id = context.id,
                             .created = context.created,
                             .content_tokens = true});
  if (const auto* response = std::get_if<HttpResponse>(&reply); response && response->error) {
    return error_response(with_field_of_responses(*response->error));
  }
  auto* run = std::get_if<std::unique_ptr<AnswerRun>>(&reply);
  if (run == nullptr || !background) return reply;
  return go_on(std::move(*run), std::move(plan), context);
}

ApiReply count_response_tokens(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_request(api, head, body);
  if (!request) return error_response(request.error());
  if (auto named = check_model_name(api, request->model); !named) return error_response(named.error());
  settle_messages(api, *request);
  const auto chat =
      tokenize_chat(api.model(), {request->messages, request->offer.shown(), request->rendering});
  if (!chat) return error_response(with_field_of_responses(to_api_error(chat.error())));
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "response.input_tokens");
  json.field("input_tokens", chat->tokens.size());
  json.end_object();
  return json_response(std::move(out));
}

ApiReply get_response(const ApiState& api, const RequestHead& head, std::string_view) {
  if (query_value(head.query, "stream").value_or("false") != "false" ||
      query_value(head.query, "starting_after")) {
    return error_response({400,
                           "a stored response is not streamed again: leave stream and starting_after out",
                           "stream",
                           {},
                           0});
  }
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

ApiReply cancel_response(const ApiState& api, const RequestHead& head, std::string_view) {
  std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  id.remove_suffix(kCancel.size());
  if (auto job = api.background.take(std::string(id), head.tenant)) {
    job->run.reset();
    job->tell(BackgroundJob::Stage::kCancelled, nullptr);
  }
  const auto stored = api.responses.get(id, head.tenant);
  if (!stored) return error_response(response_not_found(id, {}));
  if (stored->background) return json_response(stored->json);
  return error_response({400,
                         fmt::format("the response '{}' was not made in the background", excerpt(id)),
                         {},
                         "not_in_background",
                         0});
}

ApiReply delete_response(const ApiState& api, const RequestHead& head, std::string_view) {
  const std::string_view id = std::string_view(head.path).substr(kResponsesPath.size());
  const bool runs = api.background.take(std::string(id), head.tenant).has_value();
  if (!api.responses.remove(id, head.tenant) && !runs) {
    return error_response(response_not_found(id, {}));
  }
  return deleted_response(id, "response");
}

}  // namespace quire
