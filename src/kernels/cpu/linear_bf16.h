// bf16 weights times fp32 activations on matrix tiles (AMX): included after RowVectors of 16 rows and
// Bf16Tiles. Internal linkage. cpu/packed_layout.h states the sums.
//
// Tiles round otherwise than vectors do, so every number of tokens runs on them, one token too: tokens go in
// strips of 16, and the missing ones of the last strip are zeros. A tile's row depends on its own token
// alone, and its sums may be stored and loaded between any two blocks of 32 k, so neither the batch nor the
// split of the work shows in the bits.
//
// Each call rounds the activations to bf16 into its thread's scratch, which takes no buffer of the graph and
// no format of their own: a token once for up to 512 rows of weights. 256 tokens go at a time, as deep in k
// as there is room, so that what is multiplied stays in the L2 cache.
#pragma once

#include "kernels/cpu/linear_sums.h"

namespace quire {
namespace {

struct LinearBf16 {
  static_assert(kRows == kBf16TileRows && kStrip == 16 && kSumStride == 2 * kRows);
  static constexpr int64_t kTokens = 256;
  static constexpr int64_t kGroups = 32;  // even: a gate and its up are in one piece
  static constexpr int64_t kStripBytes = kStrip * kBf16TileCols * 2;  // one block of 32 k
  static constexpr int64_t kPanelBytes = 256 << 10;
  static constexpr int64_t kPairSums = kTokens * kSumStride;
  static constexpr int64_t kScratchBytes = kPanelBytes + kGroups / kPanelGroups * kPairSums * 4;

  // Groups [group, group + num_groups) and tokens [first, first + count).
  struct Piece {
    int64_t group;
    int64_t num_groups;
    int64_t first;
    int64_t count;
    int64_t strips() const { return (count + kStrip - 1) / kStrip; }
  };

  struct Scratch {
    explicit Scratch(const ExecContext& context)
        : panel(context.scratch), sums(reinterpret_cast<float*>(context.scratch + kPanelBytes)) {}
    std::byte* panel;  // [strip][block][16 tokens][32 k]
    float* sums;       // [pair of groups][kTokens][2 groups][16 rows]
  };

  // One token from column k on; its blocks are kStripBytes apart. Columns past the end are zeros.
  static void round_token(const float* x, int64_t cols, int64_t blocks, std::byte* to) {
    for (int64_t b = 0; b < blocks; ++b, x += kBf16TileCols, cols -= kBf16TileCols, to += kStripBytes) {
      if (cols >= kBf16TileCols) {
        Bf16Tiles::round(x, to);
        continue;
      }
      float last[kBf16TileCols] = {};
      __builtin_memcpy(last, x, static_cast<size_t>(cols) * sizeof(float));
      Bf16Tiles::round(last, to);
    }
  }

  // Blocks [block, block + blocks) of the piece's tokens.
  static void fill_panel(const LinearArgs& args, const Piece& piece, int64_t block, int64_t blocks,
                         std::byte* panel) {
    const int64_t k = block * kBf16TileCols;
    const float* x =
        reinterpret_cast<const float*>(args.activations) + piece.first * args.activation_stride;
    for (int64_t t = 0; t < piece.strips() * kStrip; ++t) {
      std::byte* to = panel + t / kStrip * blocks * kStripBytes + t % kStrip * (kStripBytes / kStrip);
      if (t < piece.count) {
        round_token(x + t * args.activation_stride + k, args.weight.cols - k, blocks, to);
      } else {
        for (int64_t b = 0; b < blocks; ++b)
          __builtin_memset(to + b * kStripBytes, 0, kStripBytes / kStrip);
      }
    }
  }

  // sums += kStrips strips x two groups over `blocks` blocks; the first to read the weights fetches them
  // ahead.
  template <int kStrips>
  [[gnu::noinline]] static void add_products(const std::byte* strip, const std::byte* group,
                                             const std::byte* next, int64_t blocks, bool fetch,
                                             float* sums) {
    const std::byte* other = strip + (kStrips - 1) * blocks * kStripBytes;
    Bf16Tiles::load_sums<kStrips>(sums);
    for (int64_t b = 0; b < blocks; ++b) {
      if (fetch) {
        prefetch_stream(group, kBf16TileBytes);
        prefetch_stream(next, kBf16TileBytes);
      }
      Bf16Tiles::multiply<kStrips>(strip, other, group, next);
      strip += kStripBytes, other += kStripBytes, group += kBf16TileBytes, next += kBf16TileBytes;
    }
    Bf16Tiles::store_sums<kStrips>(sums);
  }

  static void sum_piece(const LinearArgs& args, const Piece& piece, const Scratch& scratch) {
    const int64_t num_blocks = count_bf16_tiles(args.weight.cols);
    const int64_t group_bytes = num_blocks * kBf16TileBytes;
    const int64_t strips = piece.strips();
    const int64_t depth = kPanelBytes / (strips * kStripBytes);
    for (int64_t g = 0; g < piece.num_groups; g += kPanelGroups) {
      __builtin_memset(scratch.sums + g / kPanelGroups * kPairSums, 0,
                       static_cast<size_t>(strips * kStrip * kSumStride) * sizeof(float));
    }
    for (int64_t b = 0; b < num_blocks; b += depth) {
      const int64_t blocks = num_blocks - b < depth ? num_blocks - b : depth;
      fill_panel(args, piece, b, blocks, scratch.panel);
      for (int64_t g = 0; g < piece.num_groups; g += kPanelGroups) {
        const std::byte* group = args.weight.data + (piece.group + g) * group_bytes + b * kBf16TileBytes;
        const std::byte* next = g + 1 < piece.num_groups ? group + group_bytes : group;
        for (int64_t s = 0; s < strips; s += 2) {
          const std::byte* strip = scratch.panel + s * blocks * kStripBytes;
          float* sums = scratch.sums + g / kPanelGroups * kPairSums + s * kStrip * kSumStride;
          if (s + 1 < strips) {
            add_products<2>(strip, group, next, blocks, s == 0, sums);
          } else {
            add_products<1>(strip, group, next, blocks, s == 0, sums);
          }
        }
      }
    }
  }

  static void store_piece(const LinearArgs& args, const Piece& piece, const Scratch& scratch) {
    for (int64_t g = 0; g < piece.num_groups; g += kPanelGroups) {
      const int64_t num_groups = piece.num_groups - g < kPanelGroups ? piece.num_groups - g : kPanelGroups;
      store_sums(args, {piece.group + g, num_groups, piece.first, piece.count},
                 scratch.sums + g / kPanelGroups * kPairSums);
    }
  }

  static void run(const ExecContext& context, const LinearArgs& args, int64_t begin, int64_t end) {
    const Scratch scratch(context);
    const int64_t item_groups = args.epilogue == Epilogue::kSiluMul ? 2 : 1;
    const int64_t end_group = end * item_groups;
    Bf16Tiles::configure();
    for (int64_t t = 0; t < args.num_tokens; t += kTokens) {
      const int64_t count = args.num_tokens - t < kTokens ? args.num_tokens - t : kTokens;
      for (int64_t group = begin * item_groups; group < end_group; group += kGroups) {
        const Piece piece = {group, end_group - group < kGroups ? end_group - group : kGroups, t, count};
        sum_piece(args, piece, scratch);
        store_piece(args, piece, scratch);
      }
    }
    Bf16Tiles::release();
  }
};

}  // namespace
}  // namespace quire
