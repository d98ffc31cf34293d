// SwapSpace in a file. Blocks go out through a bounded set of staging buffers: a step copies its blocks
// there and goes on, the file is written meanwhile. They come in the same way: read while steps run, checked
// in the buffer, and copied to their blocks at a step's end. A block whose buffer is still being written
// comes back from there.
//
// Where all buffers are under way, a step that swaps out waits for one, though not for long: what then finds
// none is lost.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "runtime/swap_space.h"
#include "tensor/arena.h"

namespace quire {

class DiskSwapSpace final : public SwapSpace {
 public:
  // `file` has as many tags as `staging` holds blocks.
  DiskSwapSpace(int32_t num_slots, std::unique_ptr<BlockFile> file, Arena staging, CacheEngine& cache,
                ThreadPool& pool, const Clock& clock);

  void cancel(std::span<const SwapSlotId> slots) override;
  void swap_out(std::span<const SwapOut> swap_outs, StepOutput& output) override;
  void swap_in(std::span<const SwapIn> swap_ins, StepOutput& output) override;
  void arrive(bool wait, StepOutput& output) override;
  const char* name() const override { return file_->name(); }

 private:
  static constexpr int32_t kNoBuffer = -1;

  enum class SlotState : uint8_t { kLost, kWriting, kStored };
  struct Slot {
    uint64_t checksum = 0;
    SlotState state = SlotState::kLost;
    int32_t writing = kNoBuffer;  // the buffer that is being written to its place
  };
  // What a buffer is used for; by tag.
  struct Buffer {
    SwapIn swap_in;
    bool reads = false;
    bool wanted = true;  // false: cancelled
  };

  std::span<std::byte> buffer(int32_t id) const;
  int64_t offset_of(SwapSlotId slot) const { return slot * block_bytes_; }
  int32_t take_buffer();
  // Waits until the condition holds; false if the deadline came first.
  template <class Condition>
  bool wait_until(Condition condition, int64_t deadline_ns, StepOutput& output);
  void stage(std::span<const SwapOut> swap_outs);
  void start_reads(StepOutput& output);
  void settle(StepOutput& output, int64_t timeout_ns);
  void settle_write(int32_t id, int error, StepOutput& output);
  void settle_read(int32_t id, int error, StepOutput& output);
  void lose(SwapSlotId slot, const char* why, StepOutput& output);

  const int64_t block_bytes_;
  Arena staging_;
  std::unique_ptr<BlockFile> file_;  // destroyed before what it transfers to and from
  std::vector<Slot> slots_;
  std::vector<Buffer> buffers_;
  std::vector<int32_t> free_buffers_;
  std::vector<int32_t> staged_;  // buffers of the swap-outs at hand
  std::deque<SwapIn> waiting_;   // swap-ins that have no buffer yet
  std::vector<BlockFile::Done> done_;
  int32_t num_reading_ = 0;  // waiting and under way
  int64_t reading_since_ns_ = 0;
  int64_t last_warning_ns_ = 0;
  int64_t num_lost_ = 0;
  CacheEngine& cache_;
  ThreadPool& pool_;
  const Clock& clock_;
};

}  // namespace quire
