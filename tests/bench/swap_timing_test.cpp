#include "bench/swap_timing.h"

#include <gtest/gtest.h>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

constexpr CacheShape kTimedShape{.num_layers = 2, .num_kv_heads = 2, .head_dim = 16, .block_size = 16};

TEST(SwapTiming, TimesBothWaysInMemoryAndInAFile) {
  const TempFolder folder;
  ThreadPool pool(2);
  const SystemClock clock;
  for (const std::string& dir : {std::string(), folder.path().string()}) {
    const auto timing = time_swap(kTimedShape, 7, {.dir = dir}, pool, clock);
    ASSERT_TRUE(timing) << timing.error().message;
    EXPECT_GT(timing->out_s, 0);
    EXPECT_GT(timing->in_s, 0);
  }
}

TEST(SwapTiming, AFolderThatIsNotThereIsNamed) {
  ThreadPool pool(1);
  const SystemClock clock;
  const auto timing = time_swap(kTimedShape, 1, {.dir = "/proc/no-such-folder"}, pool, clock);
  ASSERT_FALSE(timing);
  EXPECT_EQ(timing.error().param, "swap_dir");
}

}  // namespace
}  // namespace quire
