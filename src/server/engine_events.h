// A stream of views of the engine, for the page and whoever else wants to watch memory being paged. A view
// is asked for only when the last one was written out, so a slow reader gets fewer of them; while nothing
// changes the engine is not asked at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/generation/answer_run.h"
#include "server/served_model.h"

namespace quire {

class EngineEvents final : public AnswerRun {
 public:
  // 429 with `max_viewers` of them open already, 404 if that is 0; `num_viewers` counts them. `model` and
  // `num_viewers` outlive it.
  static ApiExpected<std::unique_ptr<EngineEvents>> start(const ServedModel& model, int32_t max_viewers,
                                                          std::atomic<int32_t>& num_viewers);
  ~EngineEvents() override;

  bool stream() const override { return true; }
  void set_notify(std::function<void()> notify) override;
  Progress advance(std::string& body) override;
  double pause_seconds() const override;
  void finish() override { finished_ = true; }
  const std::optional<ApiError>& error() const override { return error_; }
  std::string note() const override;
  Usage usage() const override { return {}; }

 private:
  struct Look;
  EngineEvents(const ServedModel& model, std::atomic<int32_t>& num_viewers);
  void ask(int64_t now_ns);
  void write(std::string& body);
  bool something_changed() const;

  const ServedModel& model_;
  std::atomic<int32_t>& num_viewers_;
  const std::shared_ptr<Look> look_;  // the engine's too, while it is asked
  bool asked_ = false;
  bool finished_ = false;
  int64_t next_ns_ = 0;       // no look before
  int64_t last_look_ns_ = 0;  // when the last view was asked for
  int64_t last_change_ns_ = 0;
  int64_t last_step_ = 0;  // that was written
  int64_t num_views_ = 0;
  std::optional<ApiError> error_;  // none ever
};

}  // namespace quire
