#include "engine/request_stream.h"

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
    case FinishReason::kTimedOut: return "timeout";
    case FinishReason::kDeadEnd: return "dead_end";
  }
  return "";
}

bool RequestStream::take(std::vector<TokenDelta>& out) {
  const size_t first = out.size();
  deltas_.drain(out);
  for (size_t i = first; i < out.size(); ++i)
    not_ended_ -= out[i].finish_reason != FinishReason::kNone ? 1 : 0;
  return not_ended_ > 0;
}

bool RequestStream::poll(std::vector<TokenDelta>& out) {
  bool more = take(out);
  while (more && notify_) {
    wanted_.store(true);
    // What came before the loop thread could see that is taken now, unless it is calling already.
    if (deltas_.empty() || !wanted_.exchange(false)) break;
    more = take(out);
  }
  return more;
}

bool RequestStream::wait(std::vector<TokenDelta>& out, std::chrono::nanoseconds timeout) {
  if (deltas_.empty() && not_ended_ > 0) {
    std::unique_lock lock(mutex_);
    // Asked for anew at every look: a wake that was meant for an earlier delta has taken the wish with it.
    ready_.wait_for(lock, timeout, [this] {
      wanted_.store(true);
      return !deltas_.empty();
    });
    wanted_.store(false);
  }
  return take(out);
}

// The two calls of the callback exclude each other: each is made by whoever turned wanted_ off.
void RequestStream::set_notify(std::function<void()> notify) {
  CHECK(!notify_, "a stream has one consumer");
  notify_ = std::move(notify);
  wanted_.store(true);
  if (!deltas_.empty() && wanted_.exchange(false)) notify_();
}

void RequestStream::push(TokenDelta delta) {
  CHECK(open_ > 0, "request {} has ended", id_);
  if (delta.finish_reason != FinishReason::kNone) --open_;
  deltas_.push(std::move(delta));
  if (!wanted_.load() || !wanted_.exchange(false)) return;
  if (notify_) return notify_();
  { std::lock_guard lock(mutex_); }  // the consumer sleeps by now, or has seen the delta
  ready_.notify_one();
}

}  // namespace quire
