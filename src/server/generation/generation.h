// One API request in the engine: a submission for each prompt, each with n continuations. Decodes on the
// consumer's thread, ends continuations at their stop strings, and aborts what still runs when it goes
// (RequestStreams).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/output_processor.h"
#include "server/generation/prompt.h"
#include "server/generation/request_streams.h"
#include "server/http/api_error.h"
#include "server/served_model.h"

namespace quire {

// A piece of one continuation; `delta.index` counts within its prompt.
struct ChoiceDelta {
  size_t prompt = 0;
  TextDelta delta;
};

// On whose behalf, and how urgently.
struct Asker {
  TenantId tenant = 0;
  int32_t priority = 0;
  std::string cache_salt = {};
};

class Generation {
 public:
  using PromptToken = TokenDelta::PromptToken;

  // Submits all prompts or none: 429 when the queue has no room for them, 503 when the engine drains.
  static ApiExpected<std::unique_ptr<Generation>> start(const ServedModel& model,
                                                        std::span<const PreparedPrompt> prompts,
                                                        const Asker& asker);

  // As RequestStreams::set_notify.
  void set_notify(std::function<void()> notify) { streams_->set_notify(std::move(notify)); }

  // Appends what has come since the last call. False when all continuations have ended and everything was
  // taken.
  bool poll(std::vector<ChoiceDelta>& out);

  // Ends a continuation before its time: no more tokens of it are wanted.
  void finish(size_t prompt, int32_t index) { streams_->finish(prompt, index); }

  // Counts and times, as far as they are known.
  const RequestStreams& streams() const { return *streams_; }

  // What the request's prompt is pinned as, once it has ended well; none if it was unpinned since.
  std::optional<PinnedPrefix> pinned_prefix(TenantId tenant) const;

  // What has come of a prompt's log-probabilities, by position; all of them once its first token is there.
  std::span<const PromptToken> prompt_logprobs(size_t prompt) const {
    return submissions_[prompt].prompt_logprobs;
  }

 private:
  struct Submission {
    std::unique_ptr<OutputProcessor> processor;
    std::vector<PromptToken> prompt_logprobs;
  };
  explicit Generation(std::unique_ptr<RequestStreams> streams) : streams_(std::move(streams)) {}
  bool poll_submission(size_t prompt, std::vector<ChoiceDelta>& out);

  const std::unique_ptr<RequestStreams> streams_;
  std::vector<Submission> submissions_;  // of each of streams_
  std::vector<TokenDelta> deltas_;       // scratch
  std::vector<TextDelta> texts_;         // scratch
};

}  // namespace quire
