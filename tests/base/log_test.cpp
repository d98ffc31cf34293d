#include "base/log.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(init_log("info")); }
};

TEST_F(LogTest, WritesItsLevelAndAboveToStderr) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  ASSERT_TRUE(init_log("warning"));
  LOG(info, "quiet {}", 1);
  LOG(warn, "loud {}", 2);
  LOG(error, "louder {}", 3);
  spdlog::default_logger()->flush();
  const std::string out = testing::internal::GetCapturedStdout();
  const std::string err = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out, "");
  EXPECT_EQ(err.find("quiet"), std::string::npos);
  EXPECT_NE(err.find("loud 2"), std::string::npos);
  EXPECT_NE(err.find("louder 3"), std::string::npos);
}

TEST_F(LogTest, KnowsFiveLevels) {
  for (const char* level : {"debug", "info", "warning", "error", "off"})
    EXPECT_TRUE(init_log(level)) << level;
  for (const char* level : {"", "INFO", "warn", "trace"}) {
    const auto result = init_log(level);
    ASSERT_FALSE(result) << level;
    EXPECT_EQ(result.error().param, "log-level");
  }
}

}  // namespace
}  // namespace quire
