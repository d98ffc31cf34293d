#include "engine/request_stream.h"

#include <iterator>
#include <utility>

#include "base/check.h"

namespace quire {

std::string_view to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone: break;
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kAborted: return "abort";
    case FinishReason::kError: return "error";
  }
  return "";
}

bool RequestStream::poll(std::vector<TokenDelta>& out) {
  std::lock_guard lock(mutex_);
  return take(out);
}

bool RequestStream::wait(std::vector<TokenDelta>& out, std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  ready_.wait_for(lock, timeout, [this] { return !deltas_.empty() || open_ == 0; });
  return take(out);
}

bool RequestStream::take(std::vector<TokenDelta>& out) {
  out.insert(out.end(), std::make_move_iterator(deltas_.begin()), std::make_move_iterator(deltas_.end()));
  deltas_.clear();
  return open_ > 0;
}

// The callback runs without the lock, so that it may poll. The two calls of it exclude each other: it is
// called here only while deltas wait, and by push() only when none did.
void RequestStream::set_notify(std::function<void()> notify) {
  {
    std::lock_guard lock(mutex_);
    CHECK(!notify_, "a stream has one consumer");
    notify_ = std::move(notify);
    if (deltas_.empty()) return;
  }
  notify_();
}

void RequestStream::push(TokenDelta delta) {
  bool call = false;
  {
    std::lock_guard lock(mutex_);
    CHECK(open_ > 0, "request {} has ended", id_);
    if (delta.finish_reason != FinishReason::kNone) --open_;
    call = deltas_.empty() && notify_;
    deltas_.push_back(std::move(delta));
  }
  ready_.notify_one();
  if (call) notify_();
}

}  // namespace quire
