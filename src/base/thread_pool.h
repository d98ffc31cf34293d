// A persistent pool for the kernels of one step. The calling thread is thread 0 and works too, so a pool of
// N has N - 1 threads of its own. Workers spin for about 50 microseconds after a job (the next kernel of
// the same step comes within one), then park, so that an idle engine uses no CPU.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/function_ref.h"

namespace quire {

class ThreadPool {
 public:
  // num_threads >= 1, the caller included.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return num_threads_; }

  // Calls job(thread) once on every thread, 0 <= thread < num_threads(), and returns when all have
  // returned. One caller at a time; not from within a job.
  void run(FunctionRef<void(int thread)> job);

  // Splits [0, count) into one contiguous, nearly equal share a thread, each a multiple of `grain` but the
  // last. The job is not called for an empty share.
  void split(int64_t count, int64_t grain, FunctionRef<void(int thread, int64_t begin, int64_t end)> job);

  // Hands out chunks of `chunk` items from [0, count) as threads become free; for uneven work.
  void share(int64_t count, int64_t chunk, FunctionRef<void(int thread, int64_t begin, int64_t end)> job);

 private:
  void work(int thread);

  const int num_threads_;
  std::vector<std::thread> threads_;
  const FunctionRef<void(int)>* job_ = nullptr;
  alignas(64) std::atomic<uint32_t> epoch_{0};   // counts jobs; a change starts the workers
  alignas(64) std::atomic<int32_t> pending_{0};  // workers that have not finished the job
  alignas(64) std::atomic<int32_t> parked_{0};   // workers that sleep on epoch_
  alignas(64) std::atomic<int64_t> next_{0};     // share(): first item not handed out
  std::atomic<bool> stop_{false};
};

}  // namespace quire
