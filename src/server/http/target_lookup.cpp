#include "server/http/target_lookup.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace quire {

struct TargetLookup::Pending {
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Expected<HttpTarget>> target;
};

std::optional<Expected<HttpTarget>> TargetLookup::wait(std::chrono::milliseconds limit) {
  if (!pending_) {
    auto begun = std::make_shared<Pending>();
    try {
      std::thread([begun, resolve = resolve_] {
        auto target = resolve();
        const std::lock_guard lock(begun->mutex);
        begun->target = std::move(target);
        begun->done.notify_all();
      }).detach();
    } catch (const std::system_error& error) {
      return fail(ErrorCode::kUnavailable, "no thread to look a name up: {}", error.what());
    }
    pending_ = std::move(begun);
  }
  std::unique_lock lock(pending_->mutex);
  if (!pending_->done.wait_for(lock, limit, [this] { return pending_->target.has_value(); })) {
    return std::nullopt;
  }
  auto target = std::move(pending_->target);
  lock.unlock();
  pending_.reset();
  return target;
}

}  // namespace quire
