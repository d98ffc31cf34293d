#include "server/endpoints/generate.h"

#include "server/generation/awaited_run.h"
#include "server/generation/generation_run.h"

namespace quire {

ApiExpected<> open_generation(const ApiState& api, const RequestHead& head, GenerationRequest& request) {
  request.tenant = head.tenant;
  return check_model_name(api, request.model);
}

ApiReply start_generation(const ApiState& api, const GenerationRequest& request, AnswerPlan plan,
                          std::vector<PreparedPrompt> prompts) {
  const ServedModel& served = api.model();
  ResponseContext context = {
      .tokenizer = served.tokenizer,
      .id = plan.id.empty() ? api.new_id(plan.id_prefix) : plan.id,
      .model = request.model.empty() ? served.names.front() : request.model,
      .fingerprint = served.fingerprint,
      .created = plan.created.value_or(api.clock.unix_seconds()),
      .logprobs = request.sampling.logprobs.has_value(),
      .skip_special_tokens = request.sampling.skip_special_tokens,
      .return_token_ids = request.return_token_ids,
      .prompt_logprobs = request.sampling.prompt_logprobs.has_value() && !plan.echo_tokens};
  const RunOptions options = {
      .stream = request.stream,
      .echo = request.echo,
      .echo_tokens = plan.echo_tokens,
      .prompt_only = plan.prompt_only,
      .content_tokens = plan.content_tokens,
      .drop_reasoning = !request.include_reasoning,
      .asker = {.tenant = request.tenant, .priority = request.priority, .cache_salt = request.cache_salt},
      .keep_text = api.log_prompts};
  const auto grammar = prompts.front().grammar;
  AwaitedRun::Start start = [&served, options, plan = std::move(plan), context = std::move(context),
                             prompts =
                                 std::move(prompts)]() mutable -> ApiExpected<std::unique_ptr<AnswerRun>> {
    if (auto added = add_grammar(prompts); !added) return api_failure(added.error());
    auto run = GenerationRun::start(served, options, std::move(plan.writer), std::move(context),
                                    std::move(prompts));
    if (!run) return std::unexpected(std::move(run.error()));
    return std::unique_ptr<AnswerRun>(std::move(*run));
  };
  if (grammar && !grammar->result()) {
    return std::make_unique<AwaitedRun>(api.pending.enter(), grammar, request.stream, std::move(start));
  }
  auto run = start();
  if (!run) return error_response(run.error());
  return std::move(*run);
}

}  // namespace quire
