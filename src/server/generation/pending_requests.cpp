#include "server/generation/pending_requests.h"

namespace quire {

PendingRequests::Entry PendingRequests::enter() {
  const std::lock_guard lock(mutex_);
  ++count_;
  return Entry(this);
}

void PendingRequests::leave() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

bool PendingRequests::wait_until_none(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, timeout, [this] { return count_ == 0; });
}

}  // namespace quire
