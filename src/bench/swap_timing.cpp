#include "bench/swap_timing.h"

#include <algorithm>
#include <vector>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int32_t kSequences = 4;  // take turns, so that none finds its blocks in the processor's caches
constexpr int kRounds = 5;         // the first one touches memory, and is not counted

// Block i of a sequence is i * kSequences + sequence: it lies nowhere together.
struct Moves {
  std::vector<SwapOut> outs;
  std::vector<SwapIn> ins;
};

Moves moves_of(int32_t sequence, int32_t num_blocks) {
  Moves moves;
  for (int32_t i = 0; i < num_blocks; ++i) {
    const BlockId block = i * kSequences + sequence;
    const SwapSlotId slot = sequence * num_blocks + i;
    moves.outs.push_back({.block = block, .swap_slot = slot});
    moves.ins.push_back({.swap_slot = slot, .block = block});
  }
  return moves;
}

}  // namespace

Expected<SwapTiming> time_swap(const CacheShape& shape, int32_t num_blocks, SwapSpaceOptions options,
                               ThreadPool& pool, const Clock& clock) {
  auto cache = CacheEngine::create(shape, kSequences * num_blocks);
  if (!cache) return std::unexpected(cache.error());
  options.num_slots = kSequences * num_blocks;
  auto space = create_swap_space(options, *cache, pool, clock);
  if (!space) return std::unexpected(space.error());
  for (BlockId block = 0; block < kSequences * num_blocks; ++block) {
    std::ranges::fill(cache->block(block), static_cast<std::byte>(block));
  }
  std::vector<double> out_s, in_s;
  StepOutput output;
  for (int i = 0; i < kRounds * kSequences; ++i) {
    const Moves moves = moves_of(i % kSequences, num_blocks);
    output.clear();
    const int64_t start_ns = clock.now_ns();
    (*space)->swap_out(moves.outs, output);
    const int64_t between_ns = clock.now_ns();
    (*space)->swap_in(moves.ins, output);
    while (std::ssize(output.swapped_in) < num_blocks && output.swap_failures.empty()) {
      StepOutput later;  // a wait ends with the first that has arrived
      (*space)->arrive(true, later);
      output.swapped_in.insert(output.swapped_in.end(), later.swapped_in.begin(), later.swapped_in.end());
      output.swap_failures = later.swap_failures;
    }
    if (!output.swap_failures.empty()) {
      return fail(ErrorCode::kInternal, "{} of {} blocks were lost in the swap space",
                  output.swap_failures.size(), num_blocks);
    }
    if (i < kSequences) continue;
    out_s.push_back(static_cast<double>(between_ns - start_ns) * 1e-9);
    in_s.push_back(static_cast<double>(clock.now_ns() - between_ns) * 1e-9);
  }
  return SwapTiming{.out_s = percentile(out_s, 50), .in_s = percentile(in_s, 50)};
}

}  // namespace quire
