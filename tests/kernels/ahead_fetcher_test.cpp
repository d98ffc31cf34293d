#include "kernels/cpu/ahead_fetcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/rng.h"

namespace quire {
namespace {

constexpr int64_t kBlockLines = 24;
constexpr int64_t kStride = 40 * kCacheLine;
constexpr std::array<int32_t, 5> kBlocks = {7, 2, 9, 0, 4};

struct Memory {
  std::vector<std::byte> bytes = std::vector<std::byte>(10 * kStride);
  FetchAhead lines(int64_t begin, int64_t end) const {
    return {bytes.data(), kBlocks.data(), kStride, kBlockLines, begin, end};
  }
  // The place of an address among the lines.
  int64_t line_of(const std::byte* at) const {
    const int64_t offset = at - bytes.data();
    for (int64_t i = 0; i < std::ssize(kBlocks); ++i) {
      const int64_t line = (offset - kBlocks[static_cast<size_t>(i)] * kStride) / kCacheLine;
      if (offset >= kBlocks[static_cast<size_t>(i)] * kStride && line < kBlockLines)
        return i * kBlockLines + line;
    }
    return -1;
  }
};

TEST(AheadFetcher, GivesEachLineOnceInStepWithTheWork) {
  const Memory memory;
  Rng rng(3);
  for (int round = 0; round < 200; ++round) {
    const auto begin = static_cast<int64_t>(rng.below(60));
    const int64_t end = begin + 1 + static_cast<int64_t>(rng.below(60));
    const int64_t depth = 1 + static_cast<int64_t>(rng.below(8));
    const int64_t steps = 40 + static_cast<int64_t>(rng.below(40));  // enough for all lines
    const FetchAhead ahead = memory.lines(begin, end);
    AheadFetcher fetcher(&ahead, steps * depth);
    int64_t expected = begin;
    for (int64_t step = 0; step < steps; ++step) {
      const AheadLines lines = fetcher.next(depth, depth, memory.bytes.data());
      if (lines.stride == 0) continue;
      ASSERT_EQ(memory.line_of(lines.at), expected);
      expected += std::min(kAheadLines * depth, kBlockLines - expected % kBlockLines);
      const double share = static_cast<double>(step + 1) / static_cast<double>(steps);
      ASSERT_LE(static_cast<double>(expected - begin),
                static_cast<double>(end - begin) * share + static_cast<double>(kAheadLines * depth) + 1);
    }
    EXPECT_GT(expected + kAheadLines * depth, end) << "lines were left";
    EXPECT_LT(expected, end + kAheadLines * depth);
  }
}

TEST(AheadFetcher, NothingToFetchIsNothingFetched) {
  const Memory memory;
  const std::byte* idle = memory.bytes.data();
  const FetchAhead none = memory.lines(5, 5);
  for (const FetchAhead* ahead : {static_cast<const FetchAhead*>(nullptr), &none}) {
    AheadFetcher fetcher(ahead, 100);
    const AheadLines lines = fetcher.next(50, 10, idle);
    EXPECT_EQ(lines.at, idle);
    EXPECT_EQ(lines.stride, 0);
  }
}

}  // namespace
}  // namespace quire
