#include "server/endpoints/completions.h"

#include "server/answers/response_format.h"
#include "server/endpoints/generate.h"

namespace quire {
namespace {

AnswerPlan openai_plan(const ResponseFormat& format, const GenerationRequest& request) {
  return {.writer = make_openai_writer(format, {request.include_usage, request.continuous_usage_stats}),
          .id_prefix = format.id_prefix};
}

}  // namespace

ApiReply create_completion(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_completion_request);
  if (!request) return error_response(request.error());
  AnswerPlan plan = openai_plan(kCompletionFormat, *request);
  plan.echo_tokens = request->echo;
  plan.prompt_only = request->prompt_only();
  return generate(api, head, std::move(*request), std::move(plan));
}

ApiReply create_chat_completion(const ApiState& api, const RequestHead& head, std::string_view body) {
  auto request = read_body(api, body, read_chat_request);
  if (!request) return error_response(request.error());
  AnswerPlan plan = openai_plan(kChatFormat, *request);
  return generate(api, head, std::move(*request), std::move(plan));
}

}  // namespace quire
