// What this machine can do at the moment: read memory, and multiply and add. Virtual machines share cores
// and memory with others, so peaks drift by factors within seconds; whoever compares with them measures
// them again next to what is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "kernels/peak_probes.h"
#include "tensor/arena.h"

namespace quire {

// Reads an even number of cache lines as fast as one thread can, and fetches as many from `ahead` on, which
// may be anywhere.
void read_lines(const std::byte* data, const std::byte* ahead, int64_t num_lines);

class MachinePeaks {
 public:
  // Takes a buffer of `buffer_bytes`, far larger than the caches, and touches it; `table` says up to
  // which level instructions may be used. kResourceExhausted if there is no memory for it. Pool and clock
  // outlive the result.
  static Expected<MachinePeaks> create(ThreadPool& pool, const Clock& clock, const KernelTable& table,
                                       int64_t buffer_bytes);

  int num_threads() const { return pool_->num_threads(); }
  const std::vector<PeakProbe>& probes() const { return probes_; }

  // Bytes a second that all threads read together, from a piece of the buffer that was not read lately.
  double sample_bandwidth();

  // Operations a second of all threads together, once.
  double sample(const PeakProbe& probe) const;
  // The level's fastest form of that arithmetic; 0 if it has none.
  double sample(Arithmetic arithmetic) const;

  // The medians of `count` samples.
  double median_bandwidth(int count);
  double median(const PeakProbe& probe, int count) const;

 private:
  MachinePeaks(ThreadPool& pool, const Clock& clock, std::vector<PeakProbe> probes, Arena buffer)
      : pool_(&pool), clock_(&clock), probes_(std::move(probes)), buffer_(std::move(buffer)) {}

  ThreadPool* pool_;
  const Clock* clock_;
  std::vector<PeakProbe> probes_;  // each level's after those of the level below
  Arena buffer_;
  int64_t next_ = 0;  // where in the buffer the next sample reads
};

}  // namespace quire
