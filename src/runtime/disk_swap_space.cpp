#include "runtime/disk_swap_space.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "runtime/block_checksum.h"

namespace quire {
namespace {

constexpr int64_t kMaxStallNs = 250'000'000;    // of one step for staging buffers
constexpr int64_t kArrivalWaitNs = 20'000'000;  // of a step without work; then commands are looked at again
constexpr int64_t kWarningGapNs = 60'000'000'000;

}  // namespace

DiskSwapSpace::DiskSwapSpace(int32_t num_slots, std::unique_ptr<BlockFile> file, Arena staging,
                             CacheEngine& cache, ThreadPool& pool, const Clock& clock)
    : block_bytes_(cache.shape().bytes_per_block()),
      staging_(std::move(staging)),
      file_(std::move(file)),
      slots_(static_cast<size_t>(num_slots)),
      cache_(cache),
      pool_(pool),
      clock_(clock) {
  const auto num_buffers = static_cast<int32_t>(staging_.size() / block_bytes_);
  CHECK(num_buffers >= 1);
  buffers_.resize(static_cast<size_t>(num_buffers));
  for (int32_t id = num_buffers - 1; id >= 0; --id) free_buffers_.push_back(id);
}

std::span<std::byte> DiskSwapSpace::buffer(int32_t id) const {
  return {staging_.data() + id * block_bytes_, static_cast<size_t>(block_bytes_)};
}

int32_t DiskSwapSpace::take_buffer() {
  const int32_t id = free_buffers_.back();
  free_buffers_.pop_back();
  return id;
}

void DiskSwapSpace::cancel(std::span<const SwapSlotId> slots) {
  for (const SwapSlotId slot : slots) {
    num_reading_ -= static_cast<int32_t>(
        std::erase_if(waiting_, [&](const SwapIn& swap_in) { return swap_in.swap_slot == slot; }));
    for (Buffer& buffer : buffers_) {
      if (!buffer.reads || buffer.swap_in.swap_slot != slot) continue;
      if (std::exchange(buffer.wanted, false)) --num_reading_;
    }
  }
}

template <class Condition>
bool DiskSwapSpace::wait_until(Condition condition, int64_t deadline_ns, StepOutput& output) {
  settle(output, 0);
  while (!condition()) {
    const int64_t left_ns = deadline_ns - clock_.now_ns();
    if (left_ns <= 0) return false;
    settle(output, left_ns);
  }
  return true;
}

void DiskSwapSpace::swap_out(std::span<const SwapOut> swap_outs, StepOutput& output) {
  if (swap_outs.empty()) return;
  const int64_t start_ns = clock_.now_ns();
  const int64_t deadline_ns = start_ns + kMaxStallNs;
  for (size_t begin = 0; begin < swap_outs.size();) {
    // What the slot held before may still be on its way to the same place.
    const auto may_begin = [&] {
      const Slot& slot = slots_[static_cast<size_t>(swap_outs[begin].swap_slot)];
      return !free_buffers_.empty() && slot.writing == kNoBuffer;
    };
    if (!wait_until(may_begin, deadline_ns, output)) {
      lose(swap_outs[begin++].swap_slot, "the disk is too slow", output);
      continue;
    }
    size_t end = begin;
    while (end < swap_outs.size() && end - begin < free_buffers_.size() &&
           slots_[static_cast<size_t>(swap_outs[end].swap_slot)].writing == kNoBuffer) {
      ++end;
    }
    stage(swap_outs.subspan(begin, end - begin));
    begin = end;
  }
  output.swap_times.out_ns = clock_.now_ns() - start_ns;
}

void DiskSwapSpace::stage(std::span<const SwapOut> swap_outs) {
  staged_.clear();
  for (size_t i = 0; i < swap_outs.size(); ++i) staged_.push_back(take_buffer());
  pool_.share(std::ssize(swap_outs), 1, [&](int, int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      slots_[static_cast<size_t>(swap_outs[i].swap_slot)].checksum =
          copy_with_checksum(cache_.block(swap_outs[i].block), buffer(staged_[i]));
    }
  });
  for (size_t i = 0; i < swap_outs.size(); ++i) {
    const SwapSlotId id = swap_outs[i].swap_slot;
    Slot& slot = slots_[static_cast<size_t>(id)];
    slot.state = SlotState::kWriting;
    slot.writing = staged_[i];
    buffers_[static_cast<size_t>(staged_[i])] = {.swap_in = {.swap_slot = id, .block = 0}, .reads = false};
    file_->write(staged_[i], offset_of(id), buffer(staged_[i]));
  }
}

void DiskSwapSpace::swap_in(std::span<const SwapIn> swap_ins, StepOutput& output) {
  if (swap_ins.empty()) return;
  if (num_reading_ == 0) reading_since_ns_ = clock_.now_ns();
  waiting_.insert(waiting_.end(), swap_ins.begin(), swap_ins.end());
  num_reading_ += static_cast<int32_t>(swap_ins.size());
  start_reads(output);
}

void DiskSwapSpace::start_reads(StepOutput& output) {
  for (; !waiting_.empty(); waiting_.pop_front()) {
    const SwapIn& swap_in = waiting_.front();
    const Slot& slot = slots_[static_cast<size_t>(swap_in.swap_slot)];
    if (slot.state == SlotState::kLost) {
      output.swap_failures.push_back(swap_in.swap_slot);
      --num_reading_;
      continue;
    }
    if (slot.state == SlotState::kWriting) {
      std::ranges::copy(buffer(slot.writing), cache_.block(swap_in.block).begin());
      output.swapped_in.push_back(swap_in.swap_slot);
      --num_reading_;
      continue;
    }
    if (free_buffers_.empty()) return;
    const int32_t id = take_buffer();
    buffers_[static_cast<size_t>(id)] = {.swap_in = swap_in, .reads = true};
    file_->read(id, offset_of(swap_in.swap_slot), buffer(id));
  }
}

void DiskSwapSpace::arrive(bool wait, StepOutput& output) {
  settle(output, 0);
  start_reads(output);
  const auto has_news = [&] { return !output.swapped_in.empty() || !output.swap_failures.empty(); };
  const int64_t deadline_ns = clock_.now_ns() + kArrivalWaitNs;
  while (wait && num_reading_ > 0 && !has_news()) {
    const int64_t left_ns = deadline_ns - clock_.now_ns();
    if (left_ns <= 0) break;
    settle(output, left_ns);
    start_reads(output);
  }
  if (output.swapped_in.empty()) return;
  const int64_t now_ns = clock_.now_ns();
  output.swap_times.in_ns = now_ns - std::exchange(reading_since_ns_, now_ns);
}

void DiskSwapSpace::settle(StepOutput& output, int64_t timeout_ns) {
  done_.clear();
  file_->poll(done_, timeout_ns);
  for (const auto& [id, error] : done_) {
    buffers_[static_cast<size_t>(id)].reads ? settle_read(id, error, output)
                                            : settle_write(id, error, output);
    free_buffers_.push_back(id);
  }
}

void DiskSwapSpace::settle_write(int32_t id, int error, StepOutput& output) {
  const SwapSlotId slot_id = buffers_[static_cast<size_t>(id)].swap_in.swap_slot;
  Slot& slot = slots_[static_cast<size_t>(slot_id)];
  slot.writing = kNoBuffer;
  if (slot.state != SlotState::kWriting) return;
  slot.state = SlotState::kStored;
  if (error == 0) return;
  lose(slot_id, error < 0 ? "a write stopped short" : std::generic_category().message(error).c_str(),
       output);
}

void DiskSwapSpace::settle_read(int32_t id, int error, StepOutput& output) {
  Buffer& read = buffers_[static_cast<size_t>(id)];
  read.reads = false;
  if (!std::exchange(read.wanted, true)) return;
  --num_reading_;
  const SwapSlotId slot_id = read.swap_in.swap_slot;
  if (error != 0) {
    lose(slot_id, error < 0 ? "the file is too short" : std::generic_category().message(error).c_str(),
         output);
  } else if (checksum_of(buffer(id)) != slots_[static_cast<size_t>(slot_id)].checksum) {
    lose(slot_id, "a block came back changed", output);
  } else {
    std::ranges::copy(buffer(id), cache_.block(read.swap_in.block).begin());
    output.swapped_in.push_back(slot_id);
  }
}

void DiskSwapSpace::lose(SwapSlotId slot, const char* why, StepOutput& output) {
  slots_[static_cast<size_t>(slot)].state = SlotState::kLost;
  output.swap_failures.push_back(slot);
  const int64_t now_ns = clock_.now_ns();
  if (num_lost_++ > 0 && now_ns - last_warning_ns_ < kWarningGapNs) return;
  last_warning_ns_ = now_ns;
  LOG(warn, "a swapped block is lost: {} ({} so far). Its request is computed again", why, num_lost_);
}

}  // namespace quire
