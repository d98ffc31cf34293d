#include "base/log.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

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

// What `act` logs as JSON, without the time.
std::vector<std::string> json_lines(void (*act)()) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(init_log("info", "json"));
  act();
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  constexpr std::string_view kTime = R"({"time":"2026-01-31T12:00:00.000Z",)";
  for (std::string line; std::getline(text, line);) {
    EXPECT_EQ(line.substr(0, 9), kTime.substr(0, 9));
    EXPECT_EQ(line.substr(32, 3), kTime.substr(32, 3));
    lines.push_back("{" + line.substr(kTime.size()));
  }
  return lines;
}

TEST_F(LogTest, JsonHasAnObjectALine) {
  const auto lines = json_lines([] {
    LOG(debug, "too quiet");
    LOG(info, "plain {}", 1);
    LOG(warn, "a \"quote\",\na line and \xff");
    LOG(error, "loud");
  });
  EXPECT_EQ(lines, (std::vector<std::string>{
                       R"({"level":"info","message":"plain 1"})",
                       "{\"level\":\"warning\",\"message\":\"a \\\"quote\\\",\\na line and \xEF\xBF\xBD\"}",
                       R"({"level":"error","message":"loud"})"}));
}

TEST_F(LogTest, EventsHaveFieldsInJsonAndWordsInText) {
  const auto event = [] {
    const LogField fields[] = {{"status", int64_t{200}}, {"ms", 1.5}, {"peer", std::string_view("a\"b")}};
    log_event("somebody asked", "request", fields);
  };
  EXPECT_EQ(json_lines(event),
            std::vector<std::string>{
                R"({"level":"info","message":"request","status":200,"ms":1.5,"peer":"a\"b"})"});
  testing::internal::CaptureStderr();
  ASSERT_TRUE(init_log("info"));
  event();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("somebody asked"), std::string::npos);
  EXPECT_EQ(text.find("status"), std::string::npos);
}

TEST_F(LogTest, KnowsTwoFormats) {
  const auto result = init_log("info", "xml");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().param, "log-format");
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
