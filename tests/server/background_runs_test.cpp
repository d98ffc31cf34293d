#include "server/background_runs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>

namespace quire {
namespace {

using Stage = BackgroundJob::Stage;

// An answer that ends when it is let, and counts those that are alive.
class FakeRun final : public AnswerRun {
 public:
  struct Control {
    std::mutex mutex;
    std::function<void()> notify;
    int64_t generated = 0;
    bool done = false, throws = false;
    std::atomic<int> alive{0};

    void set(int64_t tokens, bool ends) {
      const std::lock_guard lock(mutex);
      generated = tokens;
      done = ends;
      if (notify) notify();
    }
  };
  explicit FakeRun(std::shared_ptr<Control> control) : control_(std::move(control)) { ++control_->alive; }
  ~FakeRun() override {
    const std::lock_guard lock(control_->mutex);
    control_->notify = nullptr;
    --control_->alive;
  }
  bool stream() const override { return false; }
  void set_notify(std::function<void()> notify) override {
    const std::lock_guard lock(control_->mutex);
    control_->notify = std::move(notify);
    control_->notify();
  }
  Progress advance(std::string&) override {
    const std::lock_guard lock(control_->mutex);
    if (control_->throws) throw std::runtime_error("the test wants it");
    generated_ = control_->generated;
    return control_->done ? Progress::kDone : Progress::kMore;
  }
  const std::optional<ApiError>& error() const override { return error_; }
  std::string note() const override { return {}; }
  Usage usage() const override { return {.generated_tokens = generated_}; }

 private:
  const std::shared_ptr<Control> control_;
  int64_t generated_ = 0;
  std::optional<ApiError> error_;
};

// A job whose stages come out of a queue.
struct Told {
  std::mutex mutex;
  std::condition_variable changed;
  std::string stages;

  void add(char stage) {
    const std::lock_guard lock(mutex);
    stages += stage;
    changed.notify_all();
  }
  std::string wait_for(size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return stages.size() >= count; }));
    return stages;
  }
};

BackgroundJob job_of(const std::string& id, const std::shared_ptr<FakeRun::Control>& control, Told& told) {
  return {.id = id,
          .tenant = 1,
          .run = std::make_unique<FakeRun>(control),
          .tell = [&told](Stage stage, const ApiError* error) {
            told.add(error != nullptr           ? '!'
                     : stage == Stage::kRuns    ? 'r'
                     : stage == Stage::kEnded   ? 'e'
                     : stage == Stage::kRefused ? 'x'
                                                : 'c');
          }};
}

TEST(BackgroundRuns, TellsWhenOneRunsAndEnds) {
  Told told;
  const auto control = std::make_shared<FakeRun::Control>();
  BackgroundRuns runs;
  EXPECT_FALSE(runs.add(job_of("a", control, told)));
  control->set(1, false);
  EXPECT_EQ(told.wait_for(1), "r");
  control->set(2, false);
  control->set(3, true);
  EXPECT_EQ(told.wait_for(2), "re");
  EXPECT_FALSE(runs.take("a", 1));
  EXPECT_EQ(control->alive, 0);
}

TEST(BackgroundRuns, AreBounded) {
  Told told, refused;
  const auto control = std::make_shared<FakeRun::Control>();
  BackgroundRuns runs(1);
  EXPECT_FALSE(runs.add(job_of("a", control, told)));
  const auto error = runs.add(job_of("b", control, refused));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, 429);
  EXPECT_EQ(refused.stages, "x");
  EXPECT_EQ(control->alive, 1);
  EXPECT_FALSE(runs.take("a", 2));  // another's
  EXPECT_TRUE(runs.take("a", 1));
  EXPECT_FALSE(runs.take("a", 1));
  EXPECT_EQ(control->alive, 0);
  EXPECT_FALSE(runs.add(job_of("c", control, told)));
  control->set(0, true);
  EXPECT_EQ(told.wait_for(1), "e");
}

TEST(BackgroundRuns, WhatIsThrownIsItsError) {
  Told told;
  const auto control = std::make_shared<FakeRun::Control>();
  control->throws = true;
  BackgroundRuns runs;
  EXPECT_FALSE(runs.add(job_of("a", control, told)));
  EXPECT_EQ(told.wait_for(1), "!");
}

TEST(BackgroundRuns, StoppingEndsAllOfThem) {
  Told told;
  const auto control = std::make_shared<FakeRun::Control>();
  BackgroundRuns runs;
  for (const char* id : {"a", "b", "c"}) EXPECT_FALSE(runs.add(job_of(id, control, told)));
  runs.stop();
  EXPECT_EQ(control->alive, 0);
  EXPECT_EQ(told.stages, "");
  const auto error = runs.add(job_of("d", control, told));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->status, 503);
  runs.stop();
}

// Taken out from one thread while another lets them end.
TEST(BackgroundRuns, EachEndsOnceOrIsTaken) {
  for (int round = 0; round < 200; ++round) {
    Told told;
    const auto control = std::make_shared<FakeRun::Control>();
    BackgroundRuns runs;
    EXPECT_FALSE(runs.add(job_of("a", control, told)));
    auto ends = std::async(std::launch::async, [&] { control->set(0, true); });
    const bool taken = runs.take("a", 1).has_value();
    ends.wait();
    if (taken) {
      EXPECT_EQ(told.stages, "");
    } else {
      EXPECT_EQ(told.wait_for(1), "e");
    }
    runs.stop();
    EXPECT_EQ(control->alive, 0);
  }
}

}  // namespace
}  // namespace quire
