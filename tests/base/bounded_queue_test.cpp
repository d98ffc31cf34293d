#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>

namespace quire {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, KeepsOrderAndBound) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  EXPECT_EQ(queue.size(), 2U);
  std::vector<int> out{0};
  queue.drain(out);
  EXPECT_EQ(out, (std::vector{0, 1, 2}));
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.try_push(4));
}

TEST(BoundedQueue, ARefusedValueStaysWithTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  auto first = std::make_unique<int>(1), second = std::make_unique<int>(2);
  EXPECT_TRUE(queue.try_push(std::move(first)));
  EXPECT_FALSE(queue.try_push(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
}

TEST(BoundedQueue, UrgentValuesPassTheBound) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.try_push(1));
  queue.push_urgent(2);
  std::vector<int> out;
  queue.drain(out);
  EXPECT_EQ(out, (std::vector{1, 2}));
}

TEST(BoundedQueue, ClosedItGivesWhatItHasAndTakesNoMore) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.try_push(1));
  queue.close();
  EXPECT_FALSE(queue.try_push(2));
  std::vector<int> out;
  queue.wait_drain(out, 10min);  // returns at once
  EXPECT_EQ(out, std::vector{1});
  queue.wait_drain(out, 10min);
  EXPECT_EQ(out, std::vector{1});
}

TEST(BoundedQueue, WaitingEndsWithTheTimeout) {
  BoundedQueue<int> queue(4);
  std::vector<int> out;
  queue.wait_drain(out, 1ms);
  EXPECT_TRUE(out.empty());
}

TEST(BoundedQueue, AWaitingConsumerIsWokenByAPush) {
  BoundedQueue<int> queue(1);
  std::vector<int> out;
  std::thread consumer([&] { queue.wait_drain(out, 10min); });
  EXPECT_TRUE(queue.try_push(5));
  consumer.join();
  EXPECT_EQ(out, std::vector{5});
}

TEST(BoundedQueue, AWaitingConsumerIsWokenByClosing) {
  BoundedQueue<int> queue(1);
  std::vector<int> out;
  std::thread consumer([&] { queue.wait_drain(out, 10min); });
  queue.close();
  consumer.join();
  EXPECT_TRUE(out.empty());
}

// Each producer's values arrive once and in its order, whatever is refused on the way.
TEST(BoundedQueue, ManyProducersLoseAndDoubleNothing) {
  constexpr int kProducers = 4, kValues = 5000;
  BoundedQueue<int> queue(16);
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&, producer] {
      for (int i = 0; i < kValues; ++i) {
        while (!queue.try_push(producer * kValues + i)) std::this_thread::yield();
      }
    });
  }
  std::vector<int> received, batch, next(kProducers, 0);
  while (received.size() < kProducers * kValues) {
    batch.clear();
    queue.wait_drain(batch, 1s);
    EXPECT_LE(batch.size(), 16U);
    received.insert(received.end(), batch.begin(), batch.end());
  }
  for (auto& thread : producers) thread.join();
  for (const int value : received) EXPECT_EQ(value % kValues, next[static_cast<size_t>(value / kValues)]++);
  EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace quire
