#include "bench/sse_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace quire {
namespace {

// The events of `stream` when it comes in pieces of the given sizes (the last size repeats).
std::vector<std::string> read(std::string_view stream, const std::vector<size_t>& sizes) {
  SseReader reader;
  std::vector<std::string> events;
  for (size_t i = 0; !stream.empty(); ++i) {
    const size_t size = std::min(stream.size(), sizes[std::min(i, sizes.size() - 1)]);
    EXPECT_TRUE(
        reader.feed(stream.substr(0, size), [&](std::string_view data) { events.emplace_back(data); }));
    stream.remove_prefix(size);
  }
  return events;
}

constexpr size_t kWhole = 1 << 20;

TEST(SseReader, ReadsTheOpenAiForm) {
  const auto events = read("data: {\"a\":1}\n\ndata: [DONE]\n\n", {kWhole});
  EXPECT_EQ(events, (std::vector<std::string>{"{\"a\":1}", "[DONE]"}));
}

TEST(SseReader, KeepsOnlyData) {
  const auto events =
      read(": comment\nevent: x\nid: 7\ndatabase: no\ndata: yes\n\nevent: empty\n\n", {kWhole});
  EXPECT_EQ(events, std::vector<std::string>{"yes"});
}

TEST(SseReader, TakesOneSpaceAfterTheColonAndJoinsLines) {
  EXPECT_EQ(read("data:  two\ndata:three\ndata\n\n", {kWhole}), std::vector<std::string>{" two\nthree\n"});
}

TEST(SseReader, TakesEveryLineEnd) {
  const std::vector<std::string> expected{"1", "2"};
  EXPECT_EQ(read("data: 1\n\ndata: 2\n\n", {kWhole}), expected);
  EXPECT_EQ(read("data: 1\r\n\r\ndata: 2\r\n\r\n", {kWhole}), expected);
  EXPECT_EQ(read("data: 1\r\rdata: 2\r\r", {kWhole}), expected);
}

TEST(SseReader, GivesNothingForAnUnfinishedEvent) { EXPECT_TRUE(read("data: half\n", {kWhole}).empty()); }

TEST(SseReader, RefusesAnEndlessEvent) {
  SseReader reader(100);
  const auto ignore = [](std::string_view) {};
  EXPECT_TRUE(reader.feed(std::string(100, 'x'), ignore));
  const auto refused = reader.feed("x", ignore);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);

  SseReader lines(100);  // the same in many lines
  Expected<> taken;
  for (int i = 0; i < 100 && taken; ++i) taken = lines.feed("data: 12345\n", ignore);
  EXPECT_FALSE(taken);
}

RC_GTEST_PROP(SseReader, CutsDoNotMatter, ()) {
  const std::string stream =
      "data: {\"text\":\"\xC3\xA9\"}\r\n\r\ndata: a\ndata: b\n\n: ping\n\ndata: [DONE]\r\r";
  const auto sizes =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, 9)));
  RC_ASSERT(read(stream, sizes) == read(stream, {kWhole}));
  RC_ASSERT(read(stream, {1}).size() == 3u);
}

}  // namespace
}  // namespace quire
