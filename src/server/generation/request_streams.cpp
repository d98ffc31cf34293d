#include "server/generation/request_streams.h"

#include <algorithm>
#include <utility>

namespace quire {

void Wakeup::arm(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

void Wakeup::fire() {
  std::lock_guard lock(mutex_);
  if (callback_) callback_();
}

void Wakeup::disarm() {
  std::lock_guard lock(mutex_);
  callback_ = nullptr;
}

ApiExpected<std::unique_ptr<RequestStreams>> RequestStreams::submit(const ServedModel& model,
                                                                    std::vector<EngineRequest> requests) {
  const int64_t submitted_ns = model.clock.now_ns();
  auto streams = model.engine.submit(std::move(requests));
  if (!streams) return api_failure(streams.error());
  std::unique_ptr<RequestStreams> submitted(new RequestStreams(model.engine));
  submitted->times_.submitted_ns = submitted_ns;
  for (auto& stream : *streams) {
    const RequestId id = stream->id();
    submitted->entries_.push_back({id, std::move(stream)});
  }
  return submitted;
}

RequestStreams::~RequestStreams() {
  wakeup_->disarm();
  for (const Entry& entry : entries_) {
    if (entry.stream) engine_.abort(entry.id);
  }
}

void RequestStreams::set_notify(std::function<void()> notify) {
  wakeup_->arm(std::move(notify));
  for (const Entry& entry : entries_) {
    if (entry.stream) entry.stream->set_notify([wakeup = wakeup_] { wakeup->fire(); });
  }
}

bool RequestStreams::poll(size_t i, std::vector<TokenDelta>& out) {
  const size_t first = out.size();
  const bool more = entries_[i].stream->poll(out);
  for (size_t at = first; at < out.size(); ++at) count(out[at]);
  if (!more) leave(i);
  return more;
}

void RequestStreams::leave(size_t i) {
  num_generated_ended_ += entries_[i].stream->num_generated();
  entries_[i].stream.reset();
}

void RequestStreams::finish(size_t i, int32_t index) {
  if (open(i)) engine_.finish(entries_[i].id, index);
}

int64_t RequestStreams::num_generated_tokens() const {
  int64_t sum = num_generated_ended_;
  for (const Entry& entry : entries_) {
    if (entry.stream) sum += entry.stream->num_generated();
  }
  return sum;
}

void RequestStreams::count(const TokenDelta& delta) {
  num_cached_tokens_ += delta.num_cached_tokens;
  if (delta.time_ns == 0) return;  // it brings no token
  const auto earlier = [](int64_t& time_ns, int64_t other_ns) {
    if (other_ns != 0 && (time_ns == 0 || other_ns < time_ns)) time_ns = other_ns;
  };
  earlier(times_.first_scheduled_ns, delta.first_scheduled_ns);
  earlier(times_.first_token_ns, delta.time_ns);
  times_.last_token_ns = std::max(times_.last_token_ns, delta.time_ns);
}

}  // namespace quire
