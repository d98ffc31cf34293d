#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include <rapidcheck/gtest.h>

namespace quire {
namespace {

TEST(ThreadPool, RunsTheJobOnceOnEveryThread) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    std::vector<std::atomic<int>> calls(static_cast<size_t>(threads));
    pool.run([&](int thread) { ++calls[static_cast<size_t>(thread)]; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
}

TEST(ThreadPool, TheCallerIsThreadZero) {
  ThreadPool pool(3);
  const auto caller = std::this_thread::get_id();
  std::array<std::thread::id, 3> ids;
  pool.run([&](int thread) { ids[static_cast<size_t>(thread)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], caller);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 3U);
}

// What one job writes, the caller and every thread of the next job read, without any other synchronization.
TEST(ThreadPool, JobsHappenOneAfterTheOther) {
  constexpr int kThreads = 3, kJobs = 1000;
  ThreadPool pool(kThreads);
  std::array<int64_t, kThreads> values{};
  int64_t seen = 0;
  for (int job = 0; job < kJobs; ++job) {
    pool.run([&](int thread) { values[static_cast<size_t>(thread)] += job; });
    std::array<int64_t, kThreads> read{};
    pool.run([&](int thread) {
      read[static_cast<size_t>(thread)] = values[static_cast<size_t>((thread + 1) % kThreads)];
    });
    for (const int64_t value : read) seen += value == int64_t{job} * (job + 1) / 2 ? 1 : 0;
  }
  EXPECT_EQ(seen, int64_t{kThreads} * kJobs);
}

// Pauses of many lengths between jobs: workers are found spinning, about to park, and parked.
TEST(ThreadPool, WakesFromParkingEveryTime) {
  ThreadPool pool(3);
  std::atomic<int64_t> calls = 0;
  volatile int pause = 0;
  constexpr int kJobs = 2000;
  for (int job = 0; job < kJobs; ++job) {
    pool.run([&](int) { calls.fetch_add(1, std::memory_order_relaxed); });
    for (int i = 0; i < job * 7919 % 20'000; ++i) pause = i;
    if (job % 200 == 0) std::this_thread::yield();
  }
  (void)pause;
  EXPECT_EQ(calls, int64_t{3} * kJobs);
}

TEST(ThreadPool, PoolsComeAndGo) {
  std::atomic<int> calls = 0;
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(1 + i % 4);
    if (i % 3 != 0) pool.run([&](int) { ++calls; });
  }
  int expected = 0;
  for (int i = 0; i < 200; ++i) expected += i % 3 != 0 ? 1 + i % 4 : 0;
  EXPECT_EQ(calls, expected);
}

struct Range {
  int thread;
  int64_t begin, end;
};

// The ranges that `deal` hands out for [0, count), ordered; each item must be in one of them.
template <class Deal>
std::vector<Range> deal_ranges(Deal deal) {
  std::mutex mutex;
  std::vector<Range> ranges;
  deal([&](int thread, int64_t begin, int64_t end) {
    std::lock_guard lock(mutex);
    ranges.push_back({thread, begin, end});
  });
  std::ranges::sort(ranges, {}, &Range::begin);
  return ranges;
}

void expect_cover(const std::vector<Range>& ranges, int64_t count) {
  int64_t next = 0;
  for (const Range& range : ranges) {
    RC_ASSERT(range.begin == next);
    RC_ASSERT(range.end > range.begin);
    next = range.end;
  }
  RC_ASSERT(next == std::max<int64_t>(count, 0));
}

RC_GTEST_PROP(ThreadPool, SplitGivesEachThreadOneShare, ()) {
  const int threads = *rc::gen::inRange(1, 5);
  const auto count = *rc::gen::inRange<int64_t>(0, 500);
  const auto grain = *rc::gen::inRange<int64_t>(1, 40);
  ThreadPool pool(threads);
  const auto ranges = deal_ranges([&](auto job) { pool.split(count, grain, job); });
  expect_cover(ranges, count);
  RC_ASSERT(ranges.size() <= static_cast<size_t>(threads));
  std::set<int> used;
  int64_t smallest = count, largest = 0;
  for (const Range& range : ranges) {
    RC_ASSERT(used.insert(range.thread).second);
    RC_ASSERT(range.begin % grain == 0);
    RC_ASSERT(range.end % grain == 0 || range.end == count);
    const int64_t grains = (range.end - range.begin + grain - 1) / grain;
    smallest = std::min(smallest, grains), largest = std::max(largest, grains);
  }
  if (ranges.size() == static_cast<size_t>(threads)) RC_ASSERT(largest - smallest <= 1);
}

RC_GTEST_PROP(ThreadPool, ShareHandsOutEveryChunkOnce, ()) {
  const int threads = *rc::gen::inRange(1, 5);
  const auto count = *rc::gen::inRange<int64_t>(0, 500);
  const auto chunk = *rc::gen::inRange<int64_t>(1, 40);
  ThreadPool pool(threads);
  const auto ranges = deal_ranges([&](auto job) { pool.share(count, chunk, job); });
  expect_cover(ranges, count);
  for (const Range& range : ranges) {
    RC_ASSERT(range.thread >= 0 && range.thread < threads);
    RC_ASSERT(range.begin % chunk == 0);
    RC_ASSERT(range.end - range.begin == chunk || range.end == count);
  }
}

TEST(ThreadPool, SplitAndShareReuseTheThreadsThousandsOfTimes) {
  ThreadPool pool(3);
  std::vector<int> items(997);
  for (int round = 0; round < 2000; ++round) {
    const auto bump = [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++items[static_cast<size_t>(i)];
    };
    if (round % 2 == 0) {
      pool.split(997, 8, bump);
    } else {
      pool.share(997, 13, bump);
    }
  }
  EXPECT_EQ(std::ranges::count(items, 2000), 997);
}

TEST(ThreadPoolDeathTest, NeedsAThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(ThreadPool(0), "CHECK\\(num_threads >= 1\\)");
}

}  // namespace
}  // namespace quire
