#include "cli/workload_flags.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

Expected<WorkloadSpec> spec_of(std::vector<std::string> arguments) {
  CLI::App app;
  WorkloadFlags flags;
  add_workload_flags(app, flags);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return to_workload_spec(flags, 1000);
}

TEST(WorkloadFlags, WithoutLengthsTheProfileIsLogNormal) {
  const auto spec = spec_of({});
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->input_len.median, 100);
  EXPECT_EQ(spec->input_len.sigma, 0.9);
  EXPECT_EQ(spec->input_len.max, 1000);
  EXPECT_EQ(spec->output_len.median, 64);
  EXPECT_EQ(spec->output_len.sigma, 0.7);
  EXPECT_EQ(spec->output_len.max, 256);
}

TEST(WorkloadFlags, GivenLengthsAreFixedOrUniform) {
  const auto spec = spec_of({"--random-input-len", "2000", "--random-range-ratio", "0.25", "--num-prompts",
                             "7", "--random-prefix-len", "16", "--seed", "9"});
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->input_len.median, 2000);
  EXPECT_EQ(spec->input_len.sigma, 0);
  EXPECT_EQ(spec->input_len.range_ratio, 0.25);
  EXPECT_EQ(spec->output_len.sigma, 0.7);
  EXPECT_EQ(spec->num_prompts, 7);
  EXPECT_EQ(spec->prefix_len, 16);
  EXPECT_EQ(spec->seed, 9);
}

TEST(WorkloadFlags, RefusesWhatIsOutOfRange) {
  const auto spec = spec_of({"--num-prompts", "0"});
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().param, "num_prompts");
}

}  // namespace
}  // namespace quire
