// An answer of somebody whose use is limited: as it comes, its tokens are charged to the key, and its end
// makes room for the key's next request.
#pragma once

#include <memory>
#include <utility>

#include "server/access/rate_limiter.h"
#include "server/generation/answer_run.h"

namespace quire {

class LimitedRun final : public AnswerRun {
 public:
  // `headers` go out with the answer.
  LimitedRun(std::unique_ptr<AnswerRun> run, RateLimiter::Admission admission, ResponseHeaders headers)
      : admission_(std::move(admission)), headers_(std::move(headers)), run_(std::move(run)) {}
  ~LimitedRun() override { charge(); }

  bool stream() const override { return run_->stream(); }
  void set_notify(std::function<void()> notify) override { run_->set_notify(std::move(notify)); }
  Progress advance(std::string& body) override {
    const Progress progress = run_->advance(body);
    charge();
    return progress;
  }
  bool takes_long() const override { return run_->takes_long(); }
  double pause_seconds() const override { return run_->pause_seconds(); }
  void finish() override { run_->finish(); }
  const std::optional<ApiError>& error() const override { return run_->error(); }
  std::string note() const override { return run_->note(); }
  Usage usage() const override { return run_->usage(); }
  std::optional<GenerationTrace> trace() const override { return run_->trace(); }
  AnswerText text() const override { return run_->text(); }
  ResponseHeaders headers() const override { return headers_; }

 private:
  void charge() {
    const Usage usage = run_->usage();
    const int64_t tokens = usage.prompt_tokens + usage.generated_tokens;
    admission_.charge_tokens(tokens - charged_tokens_);
    charged_tokens_ = tokens;
  }

  RateLimiter::Admission admission_;
  const ResponseHeaders headers_;
  const std::unique_ptr<AnswerRun> run_;
  int64_t charged_tokens_ = 0;
};

}  // namespace quire
