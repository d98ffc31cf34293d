#include "bench/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace quire {
namespace {

constexpr int32_t kVocabSize = 1000;

struct Lengths {
  double mean_input = 0, mean_output = 0;
  size_t longest_input = 0;
  int32_t longest_output = 0;
};

Lengths lengths_of(const std::vector<WorkItem>& items) {
  Lengths lengths;
  for (const WorkItem& item : items) {
    lengths.mean_input += static_cast<double>(item.prompt.size()) / static_cast<double>(items.size());
    lengths.mean_output += item.max_tokens / static_cast<double>(items.size());
    lengths.longest_input = std::max(lengths.longest_input, item.prompt.size());
    lengths.longest_output = std::max(lengths.longest_output, item.max_tokens);
  }
  return lengths;
}

TEST(Trace, HasThePublishedMeans) {
  for (const TraceSpec& trace : {kShareGpt, kAlpaca}) {
    const auto spec = trace_workload(trace, 100, 200, kVocabSize, 1);
    ASSERT_TRUE(validate(spec));
    const Lengths lengths = lengths_of(make_workload(spec));
    EXPECT_NEAR(lengths.mean_input, trace.mean_input, 0.03 * trace.mean_input) << trace.name;
    EXPECT_NEAR(lengths.mean_output, trace.mean_output, 0.03 * trace.mean_output) << trace.name;
    EXPECT_LE(lengths.longest_input, static_cast<size_t>(trace.max_input));
    EXPECT_LE(lengths.longest_output, trace.max_output);
    EXPECT_LE(trace.max_input + trace.max_output, 2048);
  }
}

TEST(Trace, ADivisorShortensLengthsAndNothingElse) {
  const auto whole = make_workload(trace_workload(kShareGpt, 10, 500, kVocabSize, 2));
  TraceSpec shorter = kShareGpt;
  shorter.divisor = 4;
  EXPECT_EQ(describe(shorter), "ShareGPT / 4");
  EXPECT_EQ(describe(kShareGpt), "ShareGPT");
  const auto quarter = make_workload(trace_workload(shorter, 10, 500, kVocabSize, 2));
  ASSERT_EQ(whole.size(), quarter.size());
  EXPECT_EQ(whole.back().arrival_s, quarter.back().arrival_s);
  EXPECT_NEAR(lengths_of(quarter).mean_output, lengths_of(whole).mean_output / 4, 2);
}

TEST(Trace, MedianFollowsFromTheMean) {
  const LengthDistribution loose = log_normal_with_mean(100, 0.5, 1'000'000);
  EXPECT_NEAR(loose.median, 100 / std::exp(0.125), 0.01) << "as if nothing were cut off";
  EXPECT_GT(log_normal_with_mean(100, 0.5, 150).median, loose.median);
}

TEST(Trace, TranslationsBeginWithTheSameTokens) {
  const auto items = make_trace(translation(341), 10, 20, kVocabSize, 1);
  ASSERT_EQ(items.size(), 200u);
  for (const WorkItem& item : items) {
    ASSERT_GT(item.prompt.size(), 341u);
    EXPECT_TRUE(std::equal(item.prompt.begin(), item.prompt.begin() + 341, items[0].prompt.begin()));
  }
  EXPECT_EQ(describe(translation(341)), "translation, prefix of 341");
}

}  // namespace
}  // namespace quire
