// What the linears of the AVX2 and AVX-512 levels share: how they walk over items, where sums lie in a
// thread's scratch, and the epilogues. Included by the files of one instruction set after that set's
// RowVectors. Internal linkage.
//
// Two neighbouring groups of rows are summed for up to kSumTokens tokens at a time, then stored.
#pragma once

#include "kernels/cpu/activation_tiles.h"
#include "kernels/cpu/ahead_fetcher.h"
#include "kernels/kernel_args.h"

namespace quire {
namespace {

constexpr int64_t kPanelGroups = 2;  // groups that share the activations they read
constexpr int64_t kRows = RowVectors::kRows;
constexpr int64_t kSumStride = kPanelGroups * kRows;  // floats from token to token
constexpr int64_t kSumTokens = 512;                   // a multiple of kTile
constexpr int64_t kSumBytes = kSumTokens * kSumStride * 4;

// A panel of unpacked weights, for the L1 cache: per block of 32 k and group, quants as bytes, fp32 scales
// and minima.
constexpr int64_t kPanelBytes = RowVectors::kPanelBlocks * kPanelGroups * kRows * (kQuantBlock + 8);
constexpr int64_t kLinearScratchBytes = kSumBytes + kPanelBytes;

// Groups [group, group + num_groups), num_groups up to kPanelGroups, and tokens [first, first + count).
struct SumRange {
  int64_t group;
  int64_t num_groups;
  int64_t first;
  int64_t count;
};

struct LinearScratch {
  LinearScratch(const ExecContext& context, AheadFetcher& ahead_fetcher)
      : sums(reinterpret_cast<float*>(context.scratch)),
        panel(context.scratch + kSumBytes),
        ahead(ahead_fetcher) {}
  float* sums;  // [count][kSumStride]
  std::byte* panel;
  AheadFetcher& ahead;  // work: groups x tokens x blocks of 32 columns
};

inline void store_sums(const LinearArgs& args, const SumRange& range, const float* sums) {
  using V = RowVectors;
  for (int64_t t = 0; t < range.count; ++t, sums += kSumStride) {
    float* row = args.out + (range.first + t) * args.out_stride;
    if (args.epilogue == Epilogue::kSiluMul) {
      const V::Float gate = V::silu(V::load(sums));
      V::store(row + range.group / 2 * kRows, V::mul(gate, V::load(sums + kRows)));
      continue;
    }
    for (int64_t g = 0; g < range.num_groups; ++g) {
      float* out = row + (range.group + g) * kRows;
      const V::Float sum = V::load(sums + g * kRows);
      V::store(out, args.epilogue == Epilogue::kAdd ? V::add(V::load(out), sum) : sum);
    }
  }
}

// Calls visit(group, num_groups) for the groups of items [begin, end), two at a time as long as there are.
template <class Visit>
void for_each_group_pair(const LinearArgs& args, int64_t begin, int64_t end, Visit visit) {
  static_assert(kPanelGroups == 2, "a gate and its up are one range");
  const int64_t item_groups = args.epilogue == Epilogue::kSiluMul ? 2 : 1;
  const int64_t end_group = end * item_groups;
  for (int64_t group = begin * item_groups; group < end_group; group += kPanelGroups) {
    visit(group, end_group - group < kPanelGroups ? end_group - group : kPanelGroups);
  }
}

// Covers items [begin, end): for each range, sum(range, scratch) leaves finished sums in scratch.sums.
template <class Sum>
void run_linear(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end, Sum sum) {
  const int64_t item_groups = args.epilogue == Epilogue::kSiluMul ? 2 : 1;
  const int64_t blocks = args.weight.cols / kQuantBlock;
  AheadFetcher ahead(context.ahead, (end - begin) * item_groups * args.num_tokens * blocks);
  const LinearScratch scratch(context, ahead);
  for_each_group_pair(args, begin, end, [&](int64_t group, int64_t num_groups) {
    for (int64_t t = 0; t < args.num_tokens; t += kSumTokens) {
      const int64_t count = args.num_tokens - t < kSumTokens ? args.num_tokens - t : kSumTokens;
      const SumRange range = {group, num_groups, t, count};
      sum(range, scratch);
      store_sums(args, range, scratch.sums);
    }
  });
}

// Ends what the compiler knows of memory: otherwise stored sums also stay in registers, which dots need.
inline void forget_memory() { asm volatile("" : : : "memory"); }

// Weights are fetched into the cache ahead of use: where each byte is used once, by a fixed distance; 2 KiB
// is worth 10 to 15% of the bandwidth with one stream a thread.
constexpr int64_t kStreamAhead = 2048;

inline void prefetch_stream(const std::byte* at, int64_t bytes) {
  for (int64_t line = 0; line < bytes; line += kCacheLine)
    __builtin_prefetch(at + kStreamAhead + line, 0, 3);
}

// Where a panel is in use for a while, the next one's bytes (in both groups) are fetched in even steps
// meanwhile.
class PanelPrefetch {
 public:
  PanelPrefetch(const std::byte* first, int64_t group_stride, int64_t bytes, int64_t steps)
      : at_(first),
        group_stride_(group_stride),
        end_(first + bytes),
        step_((bytes / steps + kCacheLine) / kCacheLine * kCacheLine) {}

  void step() {
    for (const std::byte* stop = at_ + step_; at_ < stop && at_ < end_; at_ += kCacheLine) {
      __builtin_prefetch(at_, 0, 3);
      __builtin_prefetch(at_ + group_stride_, 0, 3);
    }
  }

 private:
  const std::byte* at_;
  int64_t group_stride_;
  const std::byte* end_;
  int64_t step_;
};

// Calls run(number of tokens, tiled?, index) for each tile of `count` tokens: whole tiles, then the rest at
// once.
template <class Run>
void for_each_tile(int64_t count, Run run) {
  int64_t t = 0;
  for (; t + kTile <= count; t += kTile) run.template operator()<kTile, true>(t);
  switch (count - t) {
    case 3: run.template operator()<3, false>(t); break;
    case 2: run.template operator()<2, false>(t); break;
    case 1: run.template operator()<1, false>(t); break;
    default: break;
  }
}

// Sums each group straight from the packed weights: two whole tiles at a time, then the rest. Form has
// kBlockBytes of one group, and what adds to sums (stream_two_tiles) or sets them (stream_tile).
template <class Form>
void sum_by_stream(const LinearArgs& args, const SumRange& range, const LinearScratch& scratch) {
  const int64_t num_blocks = args.weight.cols / kQuantBlock;
  const int64_t pairs_end = range.count / (2 * kTile) * (2 * kTile);
  __builtin_memset(scratch.sums, 0, static_cast<size_t>(pairs_end * kSumStride) * sizeof(float));
  for (int64_t g = 0; g < range.num_groups; ++g) {
    const std::byte* w = args.weight.data + (range.group + g) * num_blocks * Form::kBlockBytes;
    float* sums = scratch.sums + g * kRows;
    for (int64_t t = 0; t < pairs_end; t += 2 * kTile) {
      Form::stream_two_tiles(w, num_blocks, TokenBlock<kTile, true>::of(args, range.first + t, 0),
                             num_blocks * kTileBlockBytes, sums + t * kSumStride);
    }
    for_each_tile(range.count - pairs_end, [&]<int kTokens, bool kTiled>(int64_t t) {
      Form::stream_tile(w, num_blocks,
                        TokenBlock<kTokens, kTiled>::of(args, range.first + pairs_end + t, 0),
                        sums + (pairs_end + t) * kSumStride);
    });
  }
}

}  // namespace
}  // namespace quire
