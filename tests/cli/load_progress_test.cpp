#include "cli/load_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"

namespace quire {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

constexpr int64_t kMiB = 1 << 20;

class LoadProgressTest : public testing::Test {
 protected:
  LoadProgress start(bool on_terminal) {
    return {clock_, on_terminal, [this](std::string_view text) { written_.emplace_back(text); }};
  }
  void pass_ms(int64_t ms) { clock_.advance_ns(ms * 1'000'000); }

  ManualClock clock_;
  std::vector<std::string> written_;
};

TEST_F(LoadProgressTest, SaysNothingOfAQuickLoad) {
  for (const bool on_terminal : {false, true}) {
    LoadProgress progress = start(on_terminal);
    for (int64_t done = 0; done <= 4; ++done) {
      progress(done * kMiB, 4 * kMiB);
      pass_ms(30);
    }
  }
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(LoadProgressTest, WritesLinesOfASlowLoad) {
  LoadProgress progress = start(false);
  for (int64_t done = 1; done <= 8; ++done) {
    pass_ms(1500);
    progress(done * kMiB, 8 * kMiB);
  }
  EXPECT_THAT(written_, ElementsAre("loading the weights: 25%, 2.0 MiB of 8.0 MiB\n",
                                    "loading the weights: 75%, 6.0 MiB of 8.0 MiB\n",
                                    "loaded 8.0 MiB of weights in 12.0 s\n"));
}

TEST_F(LoadProgressTest, DrawsABarAndTakesItAwayAtTheEnd) {
  LoadProgress progress = start(true);
  for (int64_t done = 1; done <= 4; ++done) {
    pass_ms(150);
    progress(done * kMiB, 4 * kMiB);
  }
  EXPECT_THAT(written_, ElementsAre("\r\033[Kloading [" + std::string(16, '=') + std::string(16, ' ') +
                                        "]  50%  2.0 MiB of 4.0 MiB",
                                    "\r\033[Kloading [" + std::string(24, '=') + std::string(8, ' ') +
                                        "]  75%  3.0 MiB of 4.0 MiB",
                                    "\r\033[K"));
}

TEST_F(LoadProgressTest, TakesTheBarAwayAfterAFailureToo) {
  {
    LoadProgress progress = start(true);
    pass_ms(1000);
    progress(kMiB, 4 * kMiB);
  }
  ASSERT_EQ(written_.size(), 2u);
  EXPECT_EQ(written_.back(), "\r\033[K");
}

// What a slow load without a terminal says on stderr.
std::string slow_load(std::string_view log_level, std::string_view log_format) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(init_log(log_level, log_format));
  {
    ManualClock clock;
    LoadProgress progress(clock, false, stderr_writer(log_level, log_format));
    clock.advance_ns(3'000'000'000);
    progress(kMiB, 4 * kMiB);
    progress(4 * kMiB, 4 * kMiB);
  }
  std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(init_log("warning"));
  return said;
}

TEST(LoadProgressLines, AreJsonWhereTheLogIs) {
  EXPECT_EQ(slow_load("warning", "text"),
            "loading the weights: 25%, 1.0 MiB of 4.0 MiB\nloaded 4.0 MiB of weights in 3.0 s\n");
  const std::string json = slow_load("info", "json");
  std::istringstream lines(json);
  std::string line;
  for (const char* message :
       {"loading the weights: 25%, 1.0 MiB of 4.0 MiB", "loaded 4.0 MiB of weights in 3.0 s"}) {
    ASSERT_TRUE(std::getline(lines, line)) << json;
    EXPECT_THAT(line, StartsWith(R"({"time":")"));
    EXPECT_THAT(line, EndsWith(fmt::format(R"("level":"info","message":"{}"}})", message)));
  }
  EXPECT_FALSE(std::getline(lines, line)) << json;
  EXPECT_EQ(slow_load("warning", "json"), "");
  EXPECT_EQ(slow_load("off", "text"), "");
  EXPECT_FALSE(draws_bar("json"));
}

}  // namespace
}  // namespace quire
