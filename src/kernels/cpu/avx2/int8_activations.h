// How the AVX2 level lays out int8 activations. Tokens go in tiles of 4: a whole tile interleaves its
// tokens so that one register tile of a linear reads one stream; the tokens of a last, partial tile lie one
// after the other. Where a token lies depends on its index and on num_tokens alone, and no byte belongs to
// two tokens.
//   tile, per block: [8 quads][4 tokens] x 4 bytes, 4 scales, 4 scaled sums
//   token, per block: [8 quads] x 4 bytes, scale, scaled sum
#pragma once

#include <immintrin.h>

#include "kernels/cpu/packed_layout.h"

namespace quire::avx2 {
namespace {

[[maybe_unused]] constexpr int64_t kTile = 4;
[[maybe_unused]] constexpr int64_t kTileBlockBytes = kTile * kActivationBlockBytes;

// kTokens tokens of one block: 4 or 8 of whole tiles, or any few that lie one after the other.
template <int kTokens, bool kTiled>
struct TokenBlock {
  const std::byte* at;
  int64_t stride;  // bytes from tile to tile, or from token to token

  const std::byte* base(int token) const {
    return kTiled ? at + token / kTile * stride : at + token * stride;
  }
  // 4 consecutive quants in every lane.
  __m256i quad(int token, int j) const {
    const std::byte* p = base(token) + (kTiled ? (j * kTile + token % kTile) * 4 : j * 4);
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return _mm256_set1_epi32(value);
  }
  __m256 scale(int token) const { return broadcast(token, 0); }
  __m256 scaled_sum(int token) const { return broadcast(token, 1); }
  void advance() { at += kTiled ? kTileBlockBytes : kActivationBlockBytes; }

 private:
  __m256 broadcast(int token, int field) const {
    const std::byte* p = base(token);
    p += kTiled ? kTile * (kQuantBlock + field * 4) + token % kTile * 4 : kQuantBlock + field * 4;
    return _mm256_broadcast_ss(reinterpret_cast<const float*>(p));
  }
};

// g++ 12 reorders and spills sums that are plain intrinsics: an empty statement that claims to change the
// register holds each one where it was written.
inline void pin(__m256i& value) {
  asm volatile("" : "+x"(value));
}

// Ends what the compiler knows of memory: otherwise stored sums also stay in registers, which the dots need.
inline void pin_memory() {
  asm volatile("" : : : "memory");
}

}  // namespace
}  // namespace quire::avx2
