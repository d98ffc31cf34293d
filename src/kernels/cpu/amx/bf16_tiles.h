// The tile registers of AMX, as cpu/linear_bf16.h uses them: 0-3 hold sums, 4 and 5 two strips of tokens, 6
// and 7 two groups of rows. A tile of sums is 16 tokens x 16 rows of fp32; a strip's 16 tokens x 32 k, a
// group's 16 pairs of k x 16 rows, of bf16. Internal linkage.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/amx/tile_config.h"

namespace quire {
namespace {

struct Bf16Tiles {
  // Loads this thread's tile shapes; release() gives the registers back, so that context switches stay
  // cheap.
  static void configure() {
    const TileConfig config{.row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                            .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&config);
  }
  static void release() { _tile_release(); }

  // 32 floats to bf16, to the nearest, ties to even; NaN stays NaN, and subnormal ones become 0.
  static void round(const float* from, std::byte* to) {
    const __m512bh rounded = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
    _mm512_storeu_si512(to, reinterpret_cast<__m512i>(rounded));
  }

  // Sums of kStrips strips and two groups, in memory [strip][16 tokens][2 groups][16 rows].
  template <int kStrips>
  static void load_sums(const float* sums) {
    asm volatile("" : : : "memory");  // g++ 12 does not know that tile loads read memory
    _tile_loadd(0, sums, kSumsStride);
    _tile_loadd(1, sums + 16, kSumsStride);
    if constexpr (kStrips == 2) {
      _tile_loadd(2, sums + kStripSums, kSumsStride);
      _tile_loadd(3, sums + kStripSums + 16, kSumsStride);
    }
  }
  template <int kStrips>
  static void store_sums(float* sums) {
    _tile_stored(0, sums, kSumsStride);
    _tile_stored(1, sums + 16, kSumsStride);
    if constexpr (kStrips == 2) {
      _tile_stored(2, sums + kStripSums, kSumsStride);
      _tile_stored(3, sums + kStripSums + 16, kSumsStride);
    }
    asm volatile("" : : : "memory");
  }

  // The sums += strips x groups, over 32 k.
  template <int kStrips>
  static void multiply(const std::byte* strip, const std::byte* other, const std::byte* group,
                       const std::byte* next) {
    constexpr int kStride = 64;
    _tile_loadd(4, strip, kStride);
    _tile_loadd(6, group, kStride);
    _tile_loadd(7, next, kStride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (kStrips == 2) {
      _tile_loadd(5, other, kStride);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }

 private:
  static constexpr int kSumsStride = 2 * 16 * 4;
  static constexpr int kStripSums = 16 * 2 * 16;
};

}  // namespace
}  // namespace quire
