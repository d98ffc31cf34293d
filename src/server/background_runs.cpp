#include "server/background_runs.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "base/thread_name.h"
#include "server/request_work.h"

namespace quire {
namespace {

void tell_of(const BackgroundJob& job, BackgroundJob::Stage stage, const ApiError* error) {
  try {
    job.tell(stage, error);
  } catch (const std::exception& failure) {  // out of memory: the others go on
    LOG(error, "what became of {} is lost: {}", job.id, failure.what());
  }
}

}  // namespace

std::optional<ApiError> BackgroundRuns::add(BackgroundJob job) {
  std::optional<ApiError> refused;
  const std::string id = job.id;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      refused = draining_error();
    } else if (entries_.size() >= max_runs_) {
      refused =
          ApiError{429, fmt::format("{} responses are made in the background; try again later", max_runs_),
                   "background", "too_many_background_responses", 5};
    } else {
      entries_.try_emplace(id, Entry{.job = std::move(job)});
      if (!thread_.joinable()) {
        thread_ = std::thread([this] {
          set_thread_name("quire-backgr");
          work();
        });
      }
    }
  }
  if (refused) {
    job.run.reset();
    tell_of(job, BackgroundJob::Stage::kRefused, nullptr);
    return refused;
  }
  const std::lock_guard lock(ready_->mutex);
  ready_->ids.insert(id);
  ready_->changed.notify_one();
  return std::nullopt;
}

std::optional<BackgroundJob> BackgroundRuns::take(const std::string& id, TenantId tenant) {
  std::unique_lock lock(mutex_);
  advanced_.wait(lock, [&] { return advancing_ != id; });
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || entry->second.job.tenant != tenant) return std::nullopt;
  return std::move(entries_.extract(entry).mapped().job);
}

void BackgroundRuns::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  {
    const std::lock_guard lock(ready_->mutex);
    ready_->stopping = true;
    ready_->changed.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  std::map<std::string, Entry> left;
  const std::lock_guard lock(mutex_);
  left.swap(entries_);  // they end without the lock
}

void BackgroundRuns::work() {
  std::unique_lock lock(ready_->mutex);
  while (true) {
    ready_->changed.wait(lock, [this] { return ready_->stopping || !ready_->ids.empty(); });
    if (ready_->stopping) return;
    const auto ids = std::exchange(ready_->ids, {});
    lock.unlock();
    for (const std::string& id : ids) advance(id);
    lock.lock();
  }
}

void BackgroundRuns::advance(const std::string& id) {
  std::unique_lock lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;  // it was taken out
  advancing_ = id;
  lock.unlock();
  if (advance(entry->second)) {
    lock.lock();
    auto ended = entries_.extract(entry);
    lock.unlock();
    ended = {};  // before take() says that it is not there
  }
  lock.lock();
  advancing_.clear();
  lock.unlock();
  advanced_.notify_all();
}

bool BackgroundRuns::advance(Entry& entry) {
  AnswerRun& run = *entry.job.run;
  if (!std::exchange(entry.armed, true)) {
    run.set_notify([ready = ready_, id = entry.job.id] {
      const std::lock_guard lock(ready->mutex);
      ready->ids.insert(id);
      ready->changed.notify_one();
    });
  }
  const RunStep step = advance_run(run);
  if (step.failed || step.done) {
    const ApiError* error = step.failed ? &*step.failed : run.error() ? &*run.error() : nullptr;
    tell_of(entry.job, BackgroundJob::Stage::kEnded, error);
    return true;
  }
  if (!entry.runs && run.usage().generated_tokens > 0) {
    entry.runs = true;
    tell_of(entry.job, BackgroundJob::Stage::kRuns, nullptr);
  }
  return false;
}

}  // namespace quire
