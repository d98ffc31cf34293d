#include "base/snapshot.h"

#include <gtest/gtest.h>

#include <thread>

namespace quire {
namespace {

struct Sample {
  int32_t a = 3;
  int64_t b = 0;
  int64_t c = 0;
  int32_t d = 0;
};

TEST(Snapshot, BeginsWithTheDefault) { EXPECT_EQ(Snapshot<Sample>().load().a, 3); }

TEST(Snapshot, ReadersNeverSeeHalfAWrite) {
  constexpr int64_t kWrites = 50'000;
  Snapshot<Sample> snapshot;
  snapshot.store({0, 0, 0, 0});
  std::thread writer([&] {
    for (int64_t i = 1; i <= kWrites; ++i) {
      snapshot.store({static_cast<int32_t>(i), i, 2 * i, static_cast<int32_t>(3 * i)});
    }
  });
  int64_t last = 0;
  while (last < kWrites) {
    const Sample seen = snapshot.load();
    ASSERT_EQ(seen.a, seen.b);
    ASSERT_EQ(seen.c, 2 * seen.b);
    ASSERT_EQ(seen.d, 3 * seen.b);
    ASSERT_GE(seen.b, last);
    last = seen.b;
  }
  writer.join();
}

}  // namespace
}  // namespace quire
