// The submissions of one API request in the engine, and their end: what still runs is aborted when this
// goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/llm_engine.h"
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

// One thread at a time.
class RequestStreams {
 public:
  // Submits all or none: 429 when the queue has no room for them, 503 when the engine drains.
  static ApiExpected<std::unique_ptr<RequestStreams>> submit(const ServedModel& model,
                                                             std::vector<EngineRequest> requests);
  ~RequestStreams();
  RequestStreams(const RequestStreams&) = delete;
  RequestStreams& operator=(const RequestStreams&) = delete;

  size_t size() const { return entries_.size(); }
  RequestId id(size_t i) const { return entries_[i].id; }
  // Not everything of it was taken yet.
  bool open(size_t i) const { return entries_[i].stream != nullptr; }

  // `notify` is called, from any thread, when there is something to take; at once if there is already. Never
  // after the destructor.
  void set_notify(std::function<void()> notify);

  // Requires that it is open. Appends what has come since the last call; false when it has ended, and is no
  // longer open.
  bool poll(size_t i, std::vector<TokenDelta>& out);

  // Nothing more of it is wanted, as each of its continuations has ended or was finished.
  void leave(size_t i);

  // Ends a continuation before its time.
  void finish(size_t i, int32_t index);

  LLMEngine& engine() const { return engine_; }

  // Of what has been taken; of several submissions from the first one's start to the last one's end.
  const GenerationTimes& times() const { return times_; }
  // Tokens of all prompts that the prefix cache had; known once each has its first token.
  int64_t num_cached_tokens() const { return num_cached_tokens_; }
  // What the engine has generated, whether or not it was taken or ever will be.
  int64_t num_generated_tokens() const;

 private:
  struct Entry {
    RequestId id = 0;
    std::shared_ptr<RequestStream> stream;  // null once it has ended
  };
  explicit RequestStreams(LLMEngine& engine) : engine_(engine) {}
  void count(const TokenDelta& delta);

  LLMEngine& engine_;
  std::vector<Entry> entries_;
  GenerationTimes times_;
  int64_t num_cached_tokens_ = 0;
  int64_t num_generated_ended_ = 0;  // of those that are not open
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
};

}  // namespace quire
