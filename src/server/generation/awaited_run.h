// An answer whose grammar is still being compiled: it begins when that is done, and is the answer itself
// from then on. Meanwhile it holds no thread. Its end takes the wish for the grammar back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "grammar/grammar_compiler.h"
#include "server/generation/answer_run.h"
#include "server/generation/generation.h"
#include "server/generation/pending_requests.h"

namespace quire {

class AwaitedRun final : public AnswerRun {
 public:
  // Called at most once, by advance(), when `grammar` has a result: submits what was prepared.
  using Start = std::move_only_function<ApiExpected<std::unique_ptr<AnswerRun>>()>;

  AwaitedRun(PendingRequests::Entry pending, std::shared_ptr<GrammarRequest> grammar, bool stream,
             Start start)
      : pending_(std::move(pending)),
        grammar_(std::move(grammar)),
        stream_(stream),
        start_(std::move(start)) {}
  ~AwaitedRun() override { wakeup_->disarm(); }

  bool stream() const override { return run_ ? run_->stream() : stream_; }
  void set_notify(std::function<void()> notify) override;
  Progress advance(std::string& body) override;
  bool takes_long() const override { return run_ && run_->takes_long(); }
  double pause_seconds() const override { return run_ ? run_->pause_seconds() : 0; }
  void finish() override;
  const std::optional<ApiError>& error() const override { return run_ ? run_->error() : error_; }
  ResponseHeaders headers() const override { return run_ ? run_->headers() : ResponseHeaders(); }
  std::string note() const override { return run_ ? run_->note() : "before its grammar was compiled"; }
  Usage usage() const override { return run_ ? run_->usage() : Usage(); }
  AnswerText text() const override { return run_ ? run_->text() : AnswerText(); }
  std::optional<GenerationTrace> trace() const override { return run_ ? run_->trace() : std::nullopt; }

 private:
  void begin();

  PendingRequests::Entry pending_;           // null once it has begun
  std::shared_ptr<GrammarRequest> grammar_;  // null once it has begun
  const bool stream_;
  Start start_;
  std::function<void()> notify_;
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::unique_ptr<AnswerRun> run_;  // once it has begun
  std::optional<ApiError> error_;   // it never will
};

}  // namespace quire
