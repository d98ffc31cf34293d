// A persistent pool for the kernels of one step. The calling thread is thread 0 and works too, so a pool of
// N has N - 1 threads of its own. A job's items are cut into chunks; every thread has a contiguous run of
// them of its own, and one that is done takes chunks of the others, so that a thread that lost its core to
// another process holds up one chunk at most. A job ends when its chunks have: nobody waits for a thread
// that took none.
//
// Idle threads spin for about 50 microseconds (the next kernel of the same step comes within one), then
// park, so that an idle engine uses no CPU; and so does a caller whose last chunk lies with another thread,
// which gives that thread a core to run on.
//
// Which thread owns which items depends on their number and that of the threads alone. Memory that is first
// touched in one job (weights, as they are packed) therefore lies with the threads that read it later; on
// machines with several memory nodes each thread is bound to its node's cores.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/function_ref.h"
#include "base/machine.h"

namespace quire {

class ThreadPool {
 public:
  using Job = FunctionRef<void(int thread, int64_t begin, int64_t end)>;

  // num_threads >= 1, the caller included. Threads are dealt to the nodes in order, as many as each has
  // cores; with one node or none they are not bound.
  explicit ThreadPool(int num_threads, NodeCpus nodes = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return num_threads_; }

  // Binds the calling thread to thread 0's node. For a thread that does nothing but call this pool.
  void bind_caller() const;

  // Calls job(thread, begin, end) for every chunk of `chunk` items of [0, count) (the last may be smaller),
  // once each, and returns when all have returned. One caller at a time; not from within a job.
  void share(int64_t count, int64_t chunk, Job job);

  // The same in one chunk a thread, each a multiple of `grain` items but the last.
  void split(int64_t count, int64_t grain, Job job);

 private:
  // A thread's run of chunks: [first, first + chunks), of which the ticket's low half are left and its high
  // half is the job's number. A chunk is taken by counting down, which fails if the job is another by now;
  // until the chunk is done the job cannot end, so its taker reads the job's other fields safely.
  struct alignas(64) Lane {
    std::atomic<uint64_t> ticket{0};
    int64_t first = 0;
    int64_t chunks = 0;
  };

  void bind(pthread_t handle, int thread) const;
  void work(int thread);
  uint32_t run_chunks(int thread, uint32_t job_number);
  bool take_chunk(Lane& lane, uint32_t job_number, int64_t& chunk);
  void finish_chunks(uint32_t done);
  void await_others(uint32_t total);

  const int num_threads_;
  const NodeCpus nodes_;
  const std::unique_ptr<Lane[]> lanes_;  // by thread
  std::vector<std::thread> threads_;
  const Job* job_ = nullptr;
  int64_t count_ = 0;
  int64_t chunk_ = 0;
  alignas(64) std::atomic<uint32_t> job_number_{0};  // a change starts the workers
  alignas(64) std::atomic<uint32_t> done_{0};        // chunks of this job that have ended
  alignas(64) std::atomic<int32_t> parked_{0};       // workers that sleep on job_number_
  std::atomic<bool> caller_parked_{false};           // the caller sleeps on done_
  std::atomic<bool> stop_{false};
};

}  // namespace quire
