// One API request in the engine: a submission for each prompt, each with n continuations. Decodes on the
// consumer's thread, ends continuations at their stop strings, and aborts what still runs when it goes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/llm_engine.h"
#include "engine/output_processor.h"
#include "server/generation/prompt.h"
#include "server/http/api_error.h"
#include "server/served_model.h"
#include "server/trace/generation_trace.h"

namespace quire {

// A callback that can be taken back: streams of the engine may outlive whoever waits for them. Any thread.
class Wakeup {
 public:
  void arm(std::function<void()> callback);
  void fire();
  void disarm();  // when it returns, no call is running and none will come

 private:
  std::mutex mutex_;
  std::function<void()> callback_;
};

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
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // `notify` is called from the engine's thread, and must not block, when there is something to poll; at
  // once if there is already. Never after the destructor.
  void set_notify(std::function<void()> notify);

  // Appends what has come since the last call. False when all continuations have ended and everything was
  // taken.
  bool poll(std::vector<ChoiceDelta>& out);

  // Ends a continuation before its time: no more tokens of it are wanted.
  void finish(size_t prompt, int32_t index);

  // Tokens of all prompts that the prefix cache had; known once each has its first token.
  int64_t num_cached_tokens() const { return num_cached_tokens_; }

  // Of what has been polled; of several prompts from the first one's start to the last one's end.
  const GenerationTimes& times() const { return times_; }

  // What the request's prompt is pinned as, once it has ended well; none if it was unpinned since.
  std::optional<PinnedPrefix> pinned_prefix(TenantId tenant) const;

  // What has come of a prompt's log-probabilities, by position; all of them once its first token is there.
  std::span<const PromptToken> prompt_logprobs(size_t prompt) const {
    return submissions_[prompt].prompt_logprobs;
  }

 private:
  struct Submission {
    RequestId id = 0;
    std::shared_ptr<RequestStream> stream;  // null once it has ended
    std::unique_ptr<OutputProcessor> processor;
    std::vector<PromptToken> prompt_logprobs;
  };
  explicit Generation(LLMEngine& engine) : engine_(engine) {}
  void count_time(const TokenDelta& delta);
  bool poll_submission(size_t prompt, std::vector<ChoiceDelta>& out);

  LLMEngine& engine_;
  std::vector<Submission> submissions_;
  int64_t num_cached_tokens_ = 0;
  GenerationTimes times_;
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::vector<TokenDelta> deltas_;  // scratch
  std::vector<TextDelta> texts_;    // scratch
};

}  // namespace quire
