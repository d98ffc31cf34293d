#include "simulate/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/log.h"
#include "tests/base/test_effort.h"

namespace quire {
namespace {

// Seeds 1 to 1,000; 100,000 with QUIRE_LONG=1, or as many as QUIRE_SEEDS says. QUIRE_SEED=n replays one.
struct Seeds {
  uint64_t first = 1;
  uint64_t last = 1000;
};

Seeds seeds() {
  const auto number = [](const char* name) -> uint64_t {
    const char* value = std::getenv(name);
    return value == nullptr ? 0 : std::strtoull(value, nullptr, 10);
  };
  if (const uint64_t one = number("QUIRE_SEED")) return {one, one};
  if (const uint64_t last = number("QUIRE_SEEDS")) return {1, last};
  return {1, long_run() ? 100'000u : 1000u};
}

TEST(Simulation, EveryRequestEndsOnceWithTheTokensItGetsAlone) {
  ASSERT_TRUE(init_log("off"));  // steps fail on purpose
  SimulationReport total;
  const auto [first, last] = seeds();
  for (uint64_t seed = first; seed <= last; ++seed) {
    const auto report = simulate(seed);
    ASSERT_TRUE(report) << "QUIRE_SEED=" << seed << ": " << report.error().message;
    total.num_steps += report->num_steps;
    total.num_ahead += report->num_ahead;
    total.num_requests += report->num_requests;
    total.num_refused += report->num_refused;
    total.num_preemptions += report->num_preemptions;
    total.preemptions.num_swapped += report->preemptions.num_swapped;
    total.preemptions.num_recomputed += report->preemptions.num_recomputed;
    total.preemptions.num_swaps_lost += report->preemptions.num_swaps_lost;
    total.preemptions.num_thrashes += report->preemptions.num_thrashes;
    total.num_forks += report->num_forks;
    total.num_branches += report->num_branches;
    total.num_copies += report->num_copies;
    total.num_merges += report->num_merges;
    total.num_evictions += report->num_evictions;
    total.num_found += report->num_found;
    total.num_pinned += report->num_pinned;
    total.num_sure += report->num_sure;
    total.num_aborted += report->num_aborted;
    total.num_failed += report->num_failed;
    total.num_timed_out += report->num_timed_out;
    total.num_stopped += report->num_stopped;
    total.num_full_length += report->num_full_length;
  }
  std::printf(
      "%ld steps (%ld ahead), %ld requests (%ld refused), %ld preemptions (%ld swapped, %ld of them lost; "
      "%ld thrashes), %ld forks, %ld branches, %ld copies, %ld merges, %ld evictions, %ld tokens found, "
      "%ld pinned, %ld sure to find; "
      "continuations: "
      "%ld aborted, %ld failed, %ld stopped, %ld full length\n",
      total.num_steps, total.num_ahead, total.num_requests, total.num_refused, total.num_preemptions,
      total.preemptions.num_swapped, total.preemptions.num_swaps_lost, total.preemptions.num_thrashes,
      total.num_forks, total.num_branches, total.num_copies, total.num_merges, total.num_evictions,
      total.num_found, total.num_pinned, total.num_sure, total.num_aborted, total.num_failed,
      total.num_stopped, total.num_full_length);
  if (first == last) return;
  // The drawn world is rich enough to mean something.
  EXPECT_GT(total.num_ahead, 1000);
  EXPECT_GT(total.num_refused, 10);
  EXPECT_LT(total.num_refused, total.num_requests * 15 / 100);
  EXPECT_GT(total.num_preemptions, 100);
  EXPECT_GT(total.preemptions.num_swapped, 100);
  EXPECT_GT(total.preemptions.num_recomputed, 100);
  EXPECT_GT(total.preemptions.num_swaps_lost, 30);
  EXPECT_GT(total.num_forks, 100);
  EXPECT_GT(total.num_branches, 1000);
  EXPECT_GT(total.num_copies, 100);
  EXPECT_GT(total.num_merges, 100);
  EXPECT_GT(total.num_evictions, 100);
  EXPECT_GT(total.num_found, 1000);
  EXPECT_GT(total.num_pinned, 100);
  EXPECT_GT(total.num_sure, 30);
  EXPECT_GT(total.num_aborted, 100);
  EXPECT_GT(total.num_failed, 10);
  EXPECT_GT(total.num_timed_out, 100);
  EXPECT_GT(total.num_stopped, 100);
  EXPECT_GT(total.num_full_length, 100);
}

TEST(Simulation, ASeedRepeatsItself) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const auto first = simulate(seed), second = simulate(seed);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->num_steps, second->num_steps);
    EXPECT_EQ(first->num_preemptions, second->num_preemptions);
    EXPECT_EQ(first->num_copies, second->num_copies);
    EXPECT_EQ(first->num_branches, second->num_branches);
    EXPECT_EQ(first->num_stopped, second->num_stopped);
  }
}

}  // namespace
}  // namespace quire
