#include "base/thread_pool.h"

#include <algorithm>

#include "base/check.h"

namespace quire {
namespace {

constexpr int kSpins = 2000;             // about 50 us of `pause`
constexpr int kSpinsBeforeYield = 4000;  // a caller waiting for a worker that lost its core

void cpu_relax() { __builtin_ia32_pause(); }

}  // namespace

ThreadPool::ThreadPool(int num_threads) : num_threads_(num_threads) {
  CHECK(num_threads >= 1);
  for (int thread = 1; thread < num_threads; ++thread)
    threads_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ThreadPool::run(FunctionRef<void(int)> job) {
  if (num_threads_ == 1) return job(0);
  job_ = &job;
  pending_.store(num_threads_ - 1, std::memory_order_relaxed);
  epoch_.fetch_add(1);  // sequentially consistent: ordered against parked_ in work()
  if (parked_.load() > 0) epoch_.notify_all();
  job(0);
  for (int spins = 0; pending_.load(std::memory_order_acquire) != 0; ++spins) {
    cpu_relax();
    if (spins >= kSpinsBeforeYield) std::this_thread::yield();
  }
}

void ThreadPool::work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    for (int spins = 0; epoch_.load(std::memory_order_acquire) == seen; ++spins) {
      cpu_relax();
      if (spins < kSpins) continue;
      parked_.fetch_add(1);
      epoch_.wait(seen);
      parked_.fetch_sub(1);
    }
    ++seen;
    if (stop_.load()) return;
    (*job_)(thread);
    pending_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::split(int64_t count, int64_t grain,
                       FunctionRef<void(int thread, int64_t begin, int64_t end)> job) {
  CHECK(grain > 0);
  const int64_t grains = (count + grain - 1) / grain;
  if (grains <= 1 || num_threads_ == 1) {
    if (count > 0) job(0, 0, count);
    return;
  }
  run([&](int thread) {
    const int64_t begin = grains * thread / num_threads_ * grain;
    const int64_t end = std::min(count, grains * (thread + 1) / num_threads_ * grain);
    if (begin < end) job(thread, begin, end);
  });
}

void ThreadPool::share(int64_t count, int64_t chunk,
                       FunctionRef<void(int thread, int64_t begin, int64_t end)> job) {
  CHECK(chunk > 0);
  if (count <= chunk || num_threads_ == 1) {
    for (int64_t begin = 0; begin < count; begin += chunk) job(0, begin, std::min(count, begin + chunk));
    return;
  }
  next_.store(0, std::memory_order_relaxed);
  run([&](int thread) {
    for (;;) {
      const int64_t begin = next_.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= count) return;
      job(thread, begin, std::min(count, begin + chunk));
    }
  });
}

}  // namespace quire
