// The tile registers of AMX, as cpu/linear_tiles.h uses them: 0-3 hold dots, 4 and 5 two strips of
// tokens, 6 and 7 two groups of rows. A tile of dots is 16 tokens x 16 rows of int32; a strip's 16 tokens
// x 32 bytes; a group's 8 quads x 16 rows x 4 bytes. Internal linkage.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/amx/tile_config.h"

namespace quire {
namespace {

struct Tiles {
  // Loads this thread's tile shapes; release() gives the registers back, so that context switches stay
  // cheap.
  static void configure() {
    const TileConfig config{.row_bytes = {64, 64, 64, 64, 32, 32, 64, 64},
                            .rows = {16, 16, 16, 16, 16, 16, 8, 8}};
    _tile_loadconfig(&config);
  }
  static void release() { _tile_release(); }

  // dots[strip][group] = strip x group, over 32 k; a panel's rows have both groups side by side. kSigned:
  // weights are s8, else u8.
  template <bool kSigned>
  static void multiply(const std::byte* strip, const std::byte* other, const std::byte* panel,
                       int32_t* dots) {
    constexpr int kStripStride = 32, kPanelStride = 128, kDotsStride = 64;
    constexpr int kDots = 16 * 16;
    asm volatile("" : : : "memory");  // g++ 12 does not know that tile loads read memory
    _tile_loadd(4, strip, kStripStride);
    _tile_loadd(5, other, kStripStride);
    _tile_loadd(6, panel, kPanelStride);
    _tile_loadd(7, panel + 64, kPanelStride);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if constexpr (kSigned) {
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
    } else {
      _tile_dpbsud(0, 4, 6);
      _tile_dpbsud(1, 4, 7);
      _tile_dpbsud(2, 5, 6);
      _tile_dpbsud(3, 5, 7);
    }
    _tile_stored(0, dots, kDotsStride);
    _tile_stored(1, dots + kDots, kDotsStride);
    _tile_stored(2, dots + 2 * kDots, kDotsStride);
    _tile_stored(3, dots + 3 * kDots, kDotsStride);
    asm volatile("" : : : "memory");
  }
};

}  // namespace
}  // namespace quire
