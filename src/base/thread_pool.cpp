#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/thread_name.h"

namespace quire {
namespace {

constexpr int kSpins = 2000;  // about 50 us of `pause`

void cpu_relax() { __builtin_ia32_pause(); }

}  // namespace

ThreadPool::ThreadPool(int num_threads, NodeCpus nodes)
    : num_threads_(num_threads),
      nodes_(std::move(nodes)),
      lanes_(new Lane[static_cast<size_t>(std::max(1, num_threads))]) {
  CHECK(num_threads >= 1);
  for (int thread = 1; thread < num_threads; ++thread) {
    threads_.emplace_back([this, thread] { work(thread); });
    bind(threads_.back().native_handle(), thread);
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  job_number_.fetch_add(1);
  job_number_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void ThreadPool::bind_caller() const { bind(pthread_self(), 0); }

// Best effort: the cores may have been taken from this process since the nodes were read; any will do then.
void ThreadPool::bind(pthread_t handle, int thread) const {
  if (nodes_.size() < 2) return;
  size_t cores = 0;
  for (const auto& node : nodes_) cores += node.size();
  size_t core = static_cast<size_t>(thread) * cores / static_cast<size_t>(num_threads_);
  size_t node = 0;
  while (core >= nodes_[node].size()) core -= nodes_[node++].size();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : nodes_[node]) CPU_SET(static_cast<size_t>(cpu), &set);
  pthread_setaffinity_np(handle, sizeof set, &set);
}

void ThreadPool::share(int64_t count, int64_t chunk, Job job) {
  CHECK(chunk > 0);
  if (count <= chunk || num_threads_ == 1) {
    for (int64_t begin = 0; begin < count; begin += chunk) job(0, begin, std::min(count, begin + chunk));
    return;
  }
  const int64_t total = (count + chunk - 1) / chunk;
  CHECK(total < int64_t{1} << 31);
  const uint32_t number = job_number_.load(std::memory_order_relaxed) + 1;
  job_ = &job;
  count_ = count;
  chunk_ = chunk;
  done_.store(0, std::memory_order_relaxed);
  for (int thread = 0; thread < num_threads_; ++thread) {
    Lane& lane = lanes_[static_cast<size_t>(thread)];
    lane.first = total * thread / num_threads_;
    lane.chunks = total * (thread + 1) / num_threads_ - lane.first;
  }
  for (int thread = 0; thread < num_threads_; ++thread) {
    Lane& lane = lanes_[static_cast<size_t>(thread)];
    const uint64_t ticket = uint64_t{number} << 32 | static_cast<uint32_t>(lane.chunks);
    lane.ticket.store(ticket, std::memory_order_release);
  }
  job_number_.store(number);  // sequentially consistent: ordered against parked_ in work()
  if (parked_.load() > 0) job_number_.notify_all();
  const uint32_t own = run_chunks(0, number);
  if (own < total) finish_chunks(own), await_others(static_cast<uint32_t>(total));
}

void ThreadPool::split(int64_t count, int64_t grain, Job job) {
  CHECK(grain > 0);
  const int64_t grains = (count + grain - 1) / grain;
  share(count, std::max<int64_t>(1, (grains + num_threads_ - 1) / num_threads_) * grain, job);
}

// Own chunks first, then those of the next threads, which are the nearest.
uint32_t ThreadPool::run_chunks(int thread, uint32_t job_number) {
  uint32_t done = 0;
  for (int i = 0; i < num_threads_; ++i) {
    Lane& lane = lanes_[static_cast<size_t>((thread + i) % num_threads_)];
    for (int64_t chunk = 0; take_chunk(lane, job_number, chunk); ++done) {
      const int64_t begin = chunk * chunk_;
      (*job_)(thread, begin, std::min(count_, begin + chunk_));
    }
  }
  return done;
}

bool ThreadPool::take_chunk(Lane& lane, uint32_t job_number, int64_t& chunk) {
  uint64_t ticket = lane.ticket.load(std::memory_order_relaxed);
  for (;;) {
    const auto left = static_cast<uint32_t>(ticket);
    if (left == 0 || ticket >> 32 != job_number) return false;
    if (!lane.ticket.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      continue;
    }
    chunk = lane.first + lane.chunks - left;
    return true;
  }
}

void ThreadPool::finish_chunks(uint32_t done) {
  if (done == 0) return;
  done_.fetch_add(done);  // sequentially consistent: ordered against caller_parked_ in await_others()
  if (caller_parked_.load()) done_.notify_one();
}

void ThreadPool::await_others(uint32_t total) {
  int spins = 0;
  for (uint32_t done = done_.load(std::memory_order_acquire); done != total;
       done = done_.load(std::memory_order_acquire)) {
    cpu_relax();
    if (++spins < kSpins) continue;
    caller_parked_.store(true);
    done_.wait(done);
    caller_parked_.store(false);
  }
}

void ThreadPool::work(int thread) {
  set_thread_name("quire-compute");
  uint32_t seen = 0;
  for (;;) {
    uint32_t number = job_number_.load(std::memory_order_acquire);
    for (int spins = 0; number == seen; number = job_number_.load(std::memory_order_acquire)) {
      cpu_relax();
      if (++spins < kSpins) continue;
      parked_.fetch_add(1);
      job_number_.wait(seen);
      parked_.fetch_sub(1);
    }
    seen = number;
    if (stop_.load()) return;
    finish_chunks(run_chunks(thread, number));
  }
}

}  // namespace quire
