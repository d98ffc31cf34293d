#include "bench/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bench/statistics.h"

namespace quire {
namespace {

WorkloadSpec small_spec() {
  WorkloadSpec spec;
  spec.num_prompts = 50;
  spec.first_token = 100;
  spec.vocab_size = 1000;
  return spec;
}

std::vector<double> gaps(const std::vector<WorkItem>& items) {
  std::vector<double> out;
  for (size_t i = 1; i < items.size(); ++i) out.push_back(items[i].arrival_s - items[i - 1].arrival_s);
  return out;
}

TEST(Workload, ReplaysFromItsSeed) {
  WorkloadSpec spec = small_spec();
  spec.request_rate = 3;
  const auto first = make_workload(spec), second = make_workload(spec);
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].arrival_s, second[i].arrival_s);
    EXPECT_EQ(first[i].prompt, second[i].prompt);
    EXPECT_EQ(first[i].max_tokens, second[i].max_tokens);
  }
  spec.seed = 1;
  EXPECT_NE(make_workload(spec)[0].prompt, first[0].prompt);
}

TEST(Workload, RateChangesArrivalsAndNothingElse) {
  WorkloadSpec spec = small_spec();
  spec.request_rate = 1;
  const auto slow = make_workload(spec);
  spec.request_rate = 4;
  const auto fast = make_workload(spec);
  for (size_t i = 0; i < slow.size(); ++i) {
    EXPECT_NEAR(slow[i].arrival_s, 4 * fast[i].arrival_s, 1e-9);
    EXPECT_EQ(slow[i].prompt, fast[i].prompt);
  }
}

TEST(Workload, PoissonGapsHaveTheRate) {
  WorkloadSpec spec = small_spec();
  spec.num_prompts = 20'000;
  spec.input_len = {.median = 1};
  spec.request_rate = 8;
  const auto samples = gaps(make_workload(spec));
  EXPECT_NEAR(mean(samples), 1.0 / 8, 0.003);
  EXPECT_NEAR(standard_deviation(samples), 1.0 / 8, 0.004);  // as an exponential's
  spec.burstiness = 4;
  const auto regular = gaps(make_workload(spec));
  EXPECT_NEAR(mean(regular), 1.0 / 8, 0.003);
  EXPECT_NEAR(standard_deviation(regular), 1.0 / 16, 0.003);
}

TEST(Workload, InfiniteRateIsAllAtOnce) {
  for (const WorkItem& item : make_workload(small_spec())) EXPECT_EQ(item.arrival_s, 0);
}

TEST(Workload, DefaultProfileKeepsItsBoundsAndMedians) {
  WorkloadSpec spec = small_spec();
  spec.num_prompts = 5000;
  std::vector<double> inputs, outputs;
  for (const WorkItem& item : make_workload(spec)) {
    inputs.push_back(static_cast<double>(item.prompt.size()));
    outputs.push_back(item.max_tokens);
  }
  EXPECT_NEAR(percentile(inputs, 50), 100, 6);
  EXPECT_NEAR(percentile(outputs, 50), 64, 4);
  EXPECT_EQ(percentile(inputs, 100), 1000);
  EXPECT_EQ(percentile(outputs, 100), 256);
  EXPECT_GE(percentile(inputs, 0), 1);
  EXPECT_GE(percentile(outputs, 0), 1);
}

TEST(Workload, FixedLengthsAndSharedPrefix) {
  WorkloadSpec spec = small_spec();
  spec.input_len = {.median = 7};
  spec.output_len = {.median = 5};
  spec.prefix_len = 3;
  const auto items = make_workload(spec);
  for (const WorkItem& item : items) {
    EXPECT_EQ(item.prompt.size(), 10u);
    EXPECT_EQ(item.max_tokens, 5);
    EXPECT_TRUE(std::equal(item.prompt.begin(), item.prompt.begin() + 3, items[0].prompt.begin()));
    EXPECT_TRUE(std::all_of(item.prompt.begin(), item.prompt.end(),
                            [](TokenId id) { return id >= 100 && id < 1000; }));
  }
  EXPECT_NE(items[0].prompt, items[1].prompt);
}

TEST(Workload, RangeRatioIsUniformAroundTheLength) {
  WorkloadSpec spec = small_spec();
  spec.num_prompts = 3000;
  spec.input_len = {.median = 20, .range_ratio = 0.5};
  std::vector<double> lengths;
  for (const WorkItem& item : make_workload(spec))
    lengths.push_back(static_cast<double>(item.prompt.size()));
  EXPECT_EQ(percentile(lengths, 0), 10);
  EXPECT_EQ(percentile(lengths, 100), 30);
  EXPECT_NEAR(mean(lengths), 20, 0.5);
}

TEST(Workload, RefusesWhatCannotBe) {
  const auto param_of = [](auto change) {
    WorkloadSpec spec = small_spec();
    change(spec);
    const auto checked = validate(spec);
    return checked ? std::string() : checked.error().param;
  };
  EXPECT_EQ(param_of([](WorkloadSpec&) {}), "");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.num_prompts = 0; }), "num_prompts");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.request_rate = 0; }), "request_rate");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.request_rate = std::nan(""); }), "request_rate");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.burstiness = -1; }), "burstiness");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.input_len.median = 0; }), "random_input_len");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.output_len.median = 1e9; }), "random_output_len");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.output_len.range_ratio = 1; }), "random_range_ratio");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.prefix_len = -1; }), "random_prefix_len");
  EXPECT_EQ(param_of([](WorkloadSpec& s) { s.vocab_size = 100; }), "random_vocab_size");
}

}  // namespace
}  // namespace quire
