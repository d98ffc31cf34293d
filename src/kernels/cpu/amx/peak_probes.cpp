#include "kernels/peak_probes.h"

#include <immintrin.h>

namespace quire {
namespace {

constexpr int64_t kRounds = 500;
constexpr int64_t kTileProducts = 16 * 16;  // of one instruction, each over a row of a tile

// Whole tiles, four chains of sums.
void configure() {
  struct alignas(64) Config {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16};
  };
  const Config config;
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
}

void dot_int8() {
  configure();
  for (int64_t round = 0; round < kRounds; ++round) {
    _tile_dpbsud(0, 4, 5);
    _tile_dpbsud(1, 4, 5);
    _tile_dpbsud(2, 4, 5);
    _tile_dpbsud(3, 4, 5);
  }
  _tile_release();
}

void dot_bf16() {
  configure();
  for (int64_t round = 0; round < kRounds; ++round) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_release();
}

constexpr PeakProbe kProbes[] = {
    {"AMX bf16 tiles", Arithmetic::kBF16, kRounds * 4 * kTileProducts * 32 * 2, dot_bf16},
    {"AMX int8 tiles", Arithmetic::kInt8, kRounds * 4 * kTileProducts * 64 * 2, dot_int8}};

}  // namespace

PeakProbeList peak_probes_amx() { return {kProbes, 2}; }

}  // namespace quire
