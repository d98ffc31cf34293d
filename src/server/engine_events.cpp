#include "server/engine_events.h"

#include <algorithm>

#include "engine/engine_view.h"
#include "server/engine_view_json.h"
#include "server/generation/request_streams.h"
#include "server/http/sse.h"

namespace quire {
namespace {

constexpr int64_t kPauseNs = 200'000'000;     // between two views
constexpr int64_t kSettleNs = 2'000'000'000;  // after a change, so that rates are seen to fall
// Where nothing changes, so that a reader knows that the engine lives.
constexpr int64_t kIdleNs = 5'000'000'000;

}  // namespace

struct EngineEvents::Look {
  EngineView view;
  std::atomic<bool> ready{false};
  Wakeup wakeup;
};

ApiExpected<std::unique_ptr<EngineEvents>> EngineEvents::start(const ServedModel& model,
                                                               int32_t max_viewers,
                                                               std::atomic<int32_t>& num_viewers) {
  if (max_viewers == 0) {
    return std::unexpected(ApiError{404, "this server shows no engine view", {}, "not_found", 0});
  }
  if (num_viewers.fetch_add(1) >= max_viewers) {
    num_viewers.fetch_sub(1);
    return std::unexpected(
        ApiError{429,
                 fmt::format("{} engine views are open already, as many as --max-engine-viewers allows",
                             max_viewers),
                 {},
                 "too_many_viewers",
                 5});
  }
  return std::unique_ptr<EngineEvents>(new EngineEvents(model, num_viewers));
}

EngineEvents::EngineEvents(const ServedModel& model, std::atomic<int32_t>& num_viewers)
    : model_(model), num_viewers_(num_viewers), look_(std::make_shared<Look>()) {
  look_->view.reserve();
}

EngineEvents::~EngineEvents() {
  look_->wakeup.disarm();
  num_viewers_.fetch_sub(1);
}

void EngineEvents::set_notify(std::function<void()> notify) {
  notify();  // the first look is due
  look_->wakeup.arm(std::move(notify));
}

AnswerRun::Progress EngineEvents::advance(std::string& body) {
  if (finished_) {
    append_done_event(body);
    return Progress::kDone;
  }
  if (look_->ready.exchange(false)) {
    asked_ = false;
    write(body);
    return Progress::kMore;
  }
  const int64_t now_ns = model_.clock.now_ns();
  if (!asked_ && now_ns >= next_ns_) ask(now_ns);
  return Progress::kMore;
}

double EngineEvents::pause_seconds() const {
  if (asked_) return 0;
  return static_cast<double>(std::max<int64_t>(next_ns_ - model_.clock.now_ns(), 1'000'000)) * 1e-9;
}

void EngineEvents::ask(int64_t now_ns) {
  next_ns_ = now_ns + kPauseNs;
  if (num_views_ == 0 || something_changed()) last_change_ns_ = now_ns;
  if (now_ns >= last_change_ns_ + kSettleNs && now_ns < last_look_ns_ + kIdleNs) return;
  asked_ = true;
  last_look_ns_ = now_ns;
  model_.engine.take_view({look_, &look_->view}, [look = look_] {
    look->ready.store(true);
    look->wakeup.fire();
  });
}

// By the snapshot that the loop publishes anyway.
bool EngineEvents::something_changed() const {
  const EngineStats now = model_.engine.stats();
  const EngineStats& seen = look_->view.stats;
  return now.num_steps != seen.num_steps || now.num_running != seen.num_running ||
         now.num_waiting != seen.num_waiting || now.num_free_blocks != seen.num_free_blocks;
}

void EngineEvents::write(std::string& body) {
  const EngineView& view = look_->view;
  append_event(body, engine_view_json(model_, view, last_step_));
  if (!view.steps.empty()) last_step_ = view.steps.back().number;
  ++num_views_;
}

std::string EngineEvents::note() const { return fmt::format("{} views", num_views_); }

}  // namespace quire
