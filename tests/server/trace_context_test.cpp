#include "server/trace/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace quire {
namespace {

// The example of the specification.
constexpr const char* kExample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, ReadsTheSpecificationsExample) {
  const auto context = parse_trace_context(kExample, "congo=t61rcWkgMzE");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->trace_state, "congo=t61rcWkgMzE");
}

TEST(TraceContext, TheLowestFlagSaysWhetherItIsSampled) {
  const std::string base(kExample, 53);
  EXPECT_FALSE(parse_trace_context(base + "00", "")->sampled);
  EXPECT_FALSE(parse_trace_context(base + "02", "")->sampled);
  EXPECT_TRUE(parse_trace_context(base + "03", "")->sampled);
  EXPECT_TRUE(parse_trace_context(base + "ff", "")->sampled);
}

TEST(TraceContext, LaterVersionsMaySayMore) {
  const std::string rest(kExample + 2);
  EXPECT_TRUE(parse_trace_context("cc" + rest, ""));
  EXPECT_TRUE(parse_trace_context("cc" + rest + "-what-the-future-brings", ""));
  EXPECT_FALSE(parse_trace_context("cc" + rest + ".what", ""));
  EXPECT_FALSE(parse_trace_context("00" + rest + "-more", ""));
  EXPECT_FALSE(parse_trace_context("ff" + rest, ""));
}

TEST(TraceContext, RefusesWhatIsMalformed) {
  const std::string good(kExample);
  EXPECT_FALSE(parse_trace_context("", ""));
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_trace_context(good.substr(0, length), "")) << length;
  }
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'g', 'A', ' ', '\0'}) {
      std::string bad = good;
      bad[at] = c;
      EXPECT_FALSE(parse_trace_context(bad, "")) << at;
    }
  }
  EXPECT_FALSE(parse_trace_context("00-" + std::string(32, '0') + good.substr(35), ""));
  EXPECT_FALSE(parse_trace_context(good.substr(0, 36) + std::string(16, '0') + "-01", ""));
}

TEST(TraceContext, DropsAStateThatIsTooLongOrNotText) {
  EXPECT_EQ(parse_trace_context(kExample, std::string(512, 'a'))->trace_state.size(), 512u);
  EXPECT_EQ(parse_trace_context(kExample, std::string(513, 'a'))->trace_state, "");
  EXPECT_EQ(parse_trace_context(kExample, "a=\x01")->trace_state, "");
}

}  // namespace
}  // namespace quire
