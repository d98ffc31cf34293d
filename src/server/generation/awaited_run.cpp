#include "server/generation/awaited_run.h"

#include <utility>

namespace quire {

void AwaitedRun::set_notify(std::function<void()> notify) {
  if (run_) return run_->set_notify(std::move(notify));
  notify_ = std::move(notify);
  wakeup_->arm(notify_);
  grammar_->set_notify([wakeup = wakeup_] { wakeup->fire(); });
}

void AwaitedRun::begin() {
  if (!grammar_->result()) return;
  auto started = std::exchange(start_, nullptr)();
  grammar_.reset();
  pending_.reset();  // the engine has it now
  if (!started) {
    error_ = std::move(started.error());
    return;
  }
  run_ = std::move(*started);
  if (notify_) run_->set_notify(notify_);
}

AnswerRun::Progress AwaitedRun::advance(std::string& body) {
  if (!run_ && !error_) begin();
  if (error_) return Progress::kDone;
  return run_ ? run_->advance(body) : Progress::kMore;
}

void AwaitedRun::finish() {
  if (run_) return run_->finish();
  error_ = draining_error();
}

}  // namespace quire
