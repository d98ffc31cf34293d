#include "base/spsc_queue.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

namespace quire {
namespace {

std::vector<int> drained(SpscQueue<int>& queue) {
  std::vector<int> out;
  queue.drain(out);
  return out;
}

TEST(SpscQueue, KeepsTheOrderWhetherItSpillsOrNot) {
  SpscQueue<int> queue(4);
  EXPECT_TRUE(queue.empty());
  int next = 0;
  for (const int burst : {1, 3, 4, 5, 9, 2, 4, 30, 1, 1}) {
    std::vector<int> want(static_cast<size_t>(burst));
    std::iota(want.begin(), want.end(), next);
    for (int i = 0; i < burst; ++i) queue.push(next++);
    EXPECT_FALSE(queue.empty());
    EXPECT_EQ(drained(queue), want);
    EXPECT_TRUE(queue.empty());
  }
}

TEST(SpscQueue, AppendsToWhatTheConsumerHas) {
  SpscQueue<int> queue(1);
  queue.push(1);
  std::vector<int> out{0};
  queue.drain(out);
  queue.drain(out);
  EXPECT_EQ(out, (std::vector<int>{0, 1}));
}

TEST(SpscQueue, LosesNothingBetweenTwoThreads) {
  constexpr int kCount = 100'000;
  SpscQueue<int> queue(8);
  std::thread producer([&] {
    for (int i = 0; i < kCount; ++i) {
      queue.push(int{i});
      if (i % 1000 == 0) std::this_thread::yield();
    }
  });
  std::vector<int> got;
  while (got.size() < kCount) {
    queue.drain(got);
    if (queue.empty()) std::this_thread::yield();
  }
  producer.join();
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(got[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace quire
