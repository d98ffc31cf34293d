// How the AVX2 and AVX-512 levels lay out int8 activations, and how their linears read them. Tokens go in
// tiles of 4: a whole tile interleaves its tokens, so that one register tile of a linear reads one stream;
// the tokens of a last, partial tile lie one after the other. Where a token lies depends on its index and
// on num_tokens alone, and no byte belongs to two tokens.
//   tile, per block:  [8 quads][4 tokens] x 4 bytes, 4 scales, 4 scaled sums
//   token, per block: [8 quads] x 4 bytes, scale, scaled sum
// Levels with matrix tiles have strips of 16 tokens first, and then the above:
//   strip, per block: [16 tokens][32 quants], 16 scales, 16 scaled sums
// Everything here has internal linkage.
#pragma once

#include "kernels/cpu/packed_layout.h"
#include "kernels/kernel_args.h"

namespace quire {
namespace {

[[maybe_unused]] constexpr int64_t kTile = 4;
[[maybe_unused]] constexpr int64_t kTileBlockBytes = kTile * kActivationBlockBytes;
[[maybe_unused]] constexpr int64_t kStrip = 16;
[[maybe_unused]] constexpr int64_t kStripQuantBytes = kStrip * kQuantBlock;
[[maybe_unused]] constexpr int64_t kStripBlockBytes = kStrip * kActivationBlockBytes;

// One block of kTokens tokens: those of a whole tile, or up to 3 that lie one after the other.
template <int kTokens, bool kTiled>
struct TokenBlock {
  static_assert(!kTiled || kTokens == kTile);
  const std::byte* at;
  int64_t stride;  // bytes from token to token, where not tiled

  // The tokens from `token` on, at block `block`.
  static TokenBlock of(const LinearArgs& args, int64_t token, int64_t block) {
    const int64_t num_blocks = args.weight.cols / kQuantBlock;
    const std::byte* row = args.activations + token * num_blocks * kActivationBlockBytes;
    return {row + block * (kTiled ? kTileBlockBytes : kActivationBlockBytes),
            num_blocks * kActivationBlockBytes};
  }
  // 4 consecutive quants.
  const std::byte* quad(int token, int j) const {
    return kTiled ? at + (j * kTile + token) * 4 : at + token * stride + j * 4;
  }
  const float* scale(int token) const { return field(token, 0); }
  const float* scaled_sum(int token) const { return field(token, 1); }
  void advance() { at += kTiled ? kTileBlockBytes : kActivationBlockBytes; }

 private:
  const float* field(int token, int64_t index) const {
    const std::byte* p = kTiled ? at + kTile * (kQuantBlock + index * 4) + token * 4
                                : at + token * stride + kQuantBlock + index * 4;
    return reinterpret_cast<const float*>(p);
  }
};

}  // namespace
}  // namespace quire
