// Where the blocks of preempted sequences wait, in memory or in a file: the storage behind the swap slots
// whose books the scheduler keeps. Every block has a checksum (XXH3) from the way out to the way in, so
// that what comes back is what went, or is told to be lost. Nothing here is fatal to a request: it is then
// computed again.
//
// The step's thread calls, in the order of step_input.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "runtime/block_file.h"
#include "runtime/cache_engine.h"
#include "step/step_input.h"
#include "step/step_output.h"

namespace quire {

struct SwapSpaceOptions {
  int32_t num_slots = 0;
  std::string dir = {};  // empty: in memory
  FileAccess access = FileAccess::kAuto;
};

class SwapSpace {
 public:
  virtual ~SwapSpace() = default;

  virtual void cancel(std::span<const SwapSlotId> slots) = 0;

  // When it returns, the blocks may be written.
  virtual void swap_out(std::span<const SwapOut> swap_outs, StepOutput& output) = 0;

  // Nobody names the blocks until they are reported.
  virtual void swap_in(std::span<const SwapIn> swap_ins, StepOutput& output) = 0;

  // Reports what has come in since; with `wait`, waits a while for something if there is anything to come.
  virtual void arrive(bool wait, StepOutput& output) = 0;

  virtual const char* name() const = 0;
};

// Staging buffers of a swap file: bytes of memory beside the file.
int64_t swap_staging_bytes(int64_t block_bytes);

// In memory, pages are taken as slots are first used. `cache`, `pool` and `clock` outlive the space.
// Errors: param swap_dir if no file can be made there.
Expected<std::unique_ptr<SwapSpace>> create_swap_space(const SwapSpaceOptions& options, CacheEngine& cache,
                                                       ThreadPool& pool, const Clock& clock);

}  // namespace quire
