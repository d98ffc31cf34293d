#include "bench/roofline.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(Roofline, ReadsSomething) {
  const SystemClock clock;
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads);
    EXPECT_GT(read_bandwidth(pool, 8 << 20, 3, clock), 0);
  }
}

}  // namespace
}  // namespace quire
