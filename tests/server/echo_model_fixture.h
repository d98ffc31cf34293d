// An engine that the tests of the server can talk to: the echo executor, a byte-level vocabulary, a chat
// template.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/engine_handle.h"
#include "tests/server/echo_executor.h"

namespace quire {

// Token b is byte b; then these.
inline constexpr TokenId kEndToken = 256;   // "<|end|>": ends a sequence
inline constexpr TokenId kTurnToken = 257;  // "<|turn|>"
inline constexpr int32_t kVocabSize = 258;

struct EchoModelOptions {
  int32_t num_blocks = 64;
  int32_t block_size = 16;
  int32_t max_model_len = 256;
  int32_t max_num_seqs = 8;
  int32_t max_num_batched_tokens = 64;
  int32_t max_queue = 16;
  bool by_priority = false;
  int64_t max_queue_ns = 0;
  bool start = true;  // the loop on a thread of its own
  bool has_template = true;
  const char* chat_template = nullptr;  // another one than below
  bool add_bos = false;                 // kTurnToken
  bool has_prefix_cache = false;
  GrammarCompilerOptions grammars = {};
  std::vector<std::string> control_tokens = {};  // after kTurnToken
};

// The machine's clock, but that a test may let time pass at once. Any thread.
class SkippingClock final : public Clock {
 public:
  int64_t now_ns() const override { return clock_.now_ns() + skipped_ns_.load(); }
  int64_t unix_seconds() const override { return clock_.unix_seconds(); }
  void skip_ns(int64_t delta_ns) { skipped_ns_.fetch_add(delta_ns); }

 private:
  const SystemClock clock_;
  std::atomic<int64_t> skipped_ns_{0};
};

// Each message is rendered as its content and <|end|>, so the answer to a chat is the first message's
// content; roles other than the first message's show as <|turn|>role. The variable `closing` comes last.
class EchoModel {
 public:
  explicit EchoModel(const EchoModelOptions& options = {});
  ~EchoModel();

  // Waits until no request is known and every block is free.
  void expect_baseline();
  // Waits until so many requests run.
  void wait_for_running(int32_t count);
  // With the gate closed: lets steps pass, one at a time, until so many requests wait. What runs meanwhile
  // should be long.
  void step_until_waiting(int32_t count);

  SkippingClock clock;
  MetricsRegistry metrics{R"(model_name="echo")"};
  std::shared_ptr<StepGate> gate = std::make_shared<StepGate>();
  EngineHandle handle;

 private:
  template <class Condition>
  void wait_until(const char* what, Condition&& condition);
};

}  // namespace quire
