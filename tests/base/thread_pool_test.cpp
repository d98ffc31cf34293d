#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <rapidcheck/gtest.h>

namespace quire {
namespace {

// Calls body(thread) for as many chunks as there are threads.
template <class Body>
void for_each_chunk(ThreadPool& pool, Body body) {
  pool.share(pool.num_threads(), 1, [&](int thread, int64_t, int64_t) { body(thread); });
}

// Each chunk waits until as many threads as there are hold one, so every thread comes.
TEST(ThreadPool, EveryThreadComesAndTheCallerIsThreadZero) {
  for (const int threads : {2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    std::vector<std::thread::id> ids(static_cast<size_t>(threads));
    std::atomic<int> arrived = 0;
    for_each_chunk(pool, [&](int thread) {
      ids[static_cast<size_t>(thread)] = std::this_thread::get_id();
      ++arrived;
      while (arrived < threads) std::this_thread::yield();
    });
    EXPECT_EQ(ids[0], std::this_thread::get_id());
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), static_cast<size_t>(threads));
  }
}

// A chunk that ends only when all others have: the rest of its thread's chunks must go to other threads.
TEST(ThreadPool, AThreadThatIsHeldUpHoldsUpOneChunk) {
  for (const int threads : {2, 3, 5}) {
    ThreadPool pool(threads);
    constexpr int64_t kChunks = 40;
    for (int64_t stuck = 0; stuck < kChunks; ++stuck) {
      std::atomic<int64_t> done = 0;
      pool.share(kChunks, 1, [&](int, int64_t begin, int64_t) {
        while (begin == stuck && done < kChunks - 1) std::this_thread::yield();
        ++done;
      });
      EXPECT_EQ(done, kChunks);
    }
  }
}

// The same work finds the same owner where nobody is slow: thread t's chunks begin at count * t / threads.
TEST(ThreadPool, EveryThreadStartsInItsOwnRange) {
  constexpr int kThreads = 4;
  ThreadPool pool(kThreads);
  std::array<int64_t, kThreads> first{};
  std::array<bool, kThreads> seen{};
  std::atomic<int> arrived = 0;
  pool.share(100, 5, [&](int thread, int64_t begin, int64_t) {
    const auto t = static_cast<size_t>(thread);
    if (seen[t]) return;
    seen[t] = true;
    first[t] = begin;
    ++arrived;
    while (arrived < kThreads) std::this_thread::yield();
  });
  EXPECT_EQ(first, (std::array<int64_t, kThreads>{0, 25, 50, 75}));
}

// What one job writes, the caller and every thread of the next job read, without any other synchronization.
TEST(ThreadPool, JobsHappenOneAfterTheOther) {
  constexpr int64_t kItems = 7, kJobs = 1000;
  ThreadPool pool(3);
  std::array<int64_t, kItems> values{};
  int64_t seen = 0;
  for (int64_t job = 0; job < kJobs; ++job) {
    pool.share(kItems, 1, [&](int, int64_t i, int64_t) { values[static_cast<size_t>(i)] += job; });
    std::array<int64_t, kItems> read{};
    pool.share(kItems, 2, [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) read[static_cast<size_t>(i)] = values[(i + 1) % kItems];
    });
    for (const int64_t value : read) seen += value == job * (job + 1) / 2 ? 1 : 0;
  }
  EXPECT_EQ(seen, kItems * kJobs);
}

// Pauses of many lengths between jobs and in chunks: workers and the caller are found spinning, about to
// park, and parked.
TEST(ThreadPool, WakesFromParkingEveryTime) {
  ThreadPool pool(3);
  std::atomic<int64_t> calls = 0;
  constexpr int kJobs = 2000;
  const auto pause = [](int length) {
    volatile int sink = 0;
    for (int i = 0; i < length; ++i) sink = i;
    (void)sink;
  };
  for (int job = 0; job < kJobs; ++job) {
    for_each_chunk(pool, [&](int thread) {
      if (thread == job % 3) pause(job * 104'729 % 200'000);
      calls.fetch_add(1, std::memory_order_relaxed);
    });
    pause(job * 7919 % 20'000);
    if (job % 200 == 0) std::this_thread::yield();
  }
  EXPECT_EQ(calls, int64_t{3} * kJobs);
}

TEST(ThreadPool, PoolsComeAndGo) {
  std::atomic<int> calls = 0;
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(1 + i % 4);
    if (i % 3 != 0) for_each_chunk(pool, [&](int) { ++calls; });
  }
  int expected = 0;
  for (int i = 0; i < 200; ++i) expected += i % 3 != 0 ? 1 + i % 4 : 0;
  EXPECT_EQ(calls, expected);
}

// Two made-up nodes of one core each: threads 0 and 1 go to the first, 2 and 3 to the second.
TEST(ThreadPool, ThreadsAreBoundToTheirNodesCores) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  NodeCpus nodes;
  for (int cpu = 0; cpu < CPU_SETSIZE && nodes.size() < 2; ++cpu) {
    if (CPU_ISSET(cpu, &before)) nodes.push_back({cpu});
  }
  if (nodes.size() < 2) GTEST_SKIP() << "this process may use one core only";
  std::array<int, 4> cores{};
  {
    ThreadPool pool(4, nodes);
    pool.bind_caller();
    std::atomic<int> arrived = 0;
    for_each_chunk(pool, [&](int thread) {
      cores[static_cast<size_t>(thread)] = sched_getcpu();
      ++arrived;
      while (arrived < 4) std::this_thread::yield();
    });
  }
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_EQ(cores, (std::array{nodes[0][0], nodes[0][0], nodes[1][0], nodes[1][0]}));
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

RC_GTEST_PROP(ThreadPool, SplitMakesOneShareAThread, ()) {
  const int threads = *rc::gen::inRange(1, 5);
  const auto count = *rc::gen::inRange<int64_t>(0, 500);
  const auto grain = *rc::gen::inRange<int64_t>(1, 40);
  ThreadPool pool(threads);
  const auto ranges = deal_ranges([&](auto job) { pool.split(count, grain, job); });
  expect_cover(ranges, count);
  RC_ASSERT(ranges.size() <= static_cast<size_t>(threads));
  const int64_t grains = (count + grain - 1) / grain;
  for (const Range& range : ranges) {
    RC_ASSERT(range.begin % grain == 0);
    RC_ASSERT(range.end % grain == 0 || range.end == count);
    RC_ASSERT(range.end - range.begin <= (grains + threads - 1) / threads * grain);
  }
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
