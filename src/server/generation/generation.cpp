#include "server/generation/generation.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace quire {

void Wakeup::arm(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Wakeup::fire() {
  std::lock_guard lock(mutex_);
  if (callback_) callback_();
}

void Wakeup::disarm() {
  std::lock_guard lock(mutex_);
  callback_ = nullptr;
}

namespace {

// Control tokens that the parser of calls must see.
std::vector<TokenId> shown_tokens(const ServedModel& model, const PreparedPrompt& prompt) {
  return prompt.output.tool_style == ToolStyle::kNone ? std::vector<TokenId>() : model.output.marker_tokens;
}

}  // namespace

ApiExpected<std::unique_ptr<Generation>> Generation::start(const ServedModel& model,
                                                           std::span<const PreparedPrompt> prompts,
                                                           const Asker& asker) {
  std::vector<EngineRequest> requests;
  for (const auto& prompt : prompts) {
    requests.push_back({.prompt = prompt.tokens,
                        .params = std::make_shared<const SamplingParams>(prompt.sampling),
                        .tenant = asker.tenant,
                        .priority = asker.priority,
                        .cache_salt = asker.cache_salt,
                        .pins = prompt.pins});
  }
  const int64_t submitted_ns = model.clock.now_ns();
  auto streams = model.engine.submit(std::move(requests));
  if (!streams) return api_failure(streams.error());
  std::unique_ptr<Generation> generation(new Generation(model.engine));
  generation->times_.submitted_ns = submitted_ns;
  for (size_t i = 0; i < prompts.size(); ++i) {
    generation->submissions_.push_back(
        {(*streams)[i]->id(),
         std::move((*streams)[i]),
         std::make_unique<OutputProcessor>(model.tokenizer, prompts[i].sampling,
                                           shown_tokens(model, prompts[i])),
         {}});
  }
  return generation;
}

Generation::~Generation() {
  wakeup_->disarm();
  for (const auto& submission : submissions_) {
    if (submission.stream) engine_.abort(submission.stream->id());
  }
}

void Generation::set_notify(std::function<void()> notify) {
  wakeup_->arm(std::move(notify));
  for (const auto& submission : submissions_) {
    if (submission.stream) submission.stream->set_notify([wakeup = wakeup_] { wakeup->fire(); });
  }
}

void Generation::finish(size_t prompt, int32_t index) {
  if (const auto& stream = submissions_[prompt].stream) engine_.finish(stream->id(), index);
}

std::optional<PinnedPrefix> Generation::pinned_prefix(TenantId tenant) const {
  const auto pinned = engine_.pinned_prefixes(tenant);
  const auto found = std::ranges::find(pinned, submissions_.front().id, &PinnedPrefix::id);
  return found == pinned.end() ? std::nullopt : std::optional(*found);
}

bool Generation::poll(std::vector<ChoiceDelta>& out) {
  bool open = false;
  for (size_t prompt = 0; prompt < submissions_.size(); ++prompt) {
    if (submissions_[prompt].stream && poll_submission(prompt, out)) open = true;
  }
  return open;
}

void Generation::count_time(const TokenDelta& delta) {
  if (delta.time_ns == 0) return;  // it brings no token
  const auto earlier = [](int64_t& time_ns, int64_t other_ns) {
    if (other_ns != 0 && (time_ns == 0 || other_ns < time_ns)) time_ns = other_ns;
  };
  earlier(times_.first_scheduled_ns, delta.first_scheduled_ns);
  earlier(times_.first_token_ns, delta.time_ns);
  times_.last_token_ns = std::max(times_.last_token_ns, delta.time_ns);
}

// False when the submission has ended.
bool Generation::poll_submission(size_t prompt, std::vector<ChoiceDelta>& out) {
  Submission& submission = submissions_[prompt];
  deltas_.clear();
  texts_.clear();
  const bool more = submission.stream->poll(deltas_);
  for (auto& delta : deltas_) {
    auto& logprobs = submission.prompt_logprobs;
    std::move(delta.prompt.begin(), delta.prompt.end(), std::back_inserter(logprobs));
    num_cached_tokens_ += delta.num_cached_tokens;
    count_time(delta);
    // The engine sees no stop strings.
    if (submission.processor->process(delta, texts_)) engine_.finish(submission.stream->id(), delta.index);
  }
  for (auto& text : texts_) out.push_back({prompt, std::move(text)});
  if (more && !submission.processor->done()) return true;
  submission.stream.reset();
  return false;
}

}  // namespace quire
