// RowVectors and Tiles in plain C++, 16 rows wide: the linears of the VNNI and AMX levels, which are
// templates over them, can so be tested on any CPU. Each function does what the instruction of its namesake
// in src/kernels/cpu/{avx512,vnni,amx} does.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/scalar/exp.h"
#include "kernels/cpu/scalar/half.h"

namespace quire {
namespace {

struct RowVectors {
  static constexpr int64_t kRows = 16;
  static constexpr bool kHasDot = true;
  static constexpr int64_t kPanelBlocks = 18;
  static constexpr int kPlainTokens = 12;

  using Float = std::array<float, 16>;
  using Int = std::array<int32_t, 16>;
  using Bytes = std::array<uint8_t, 64>;
  using Halves = std::array<int16_t, 32>;

  template <class T>
  static void pin(T&) {}

  template <class Function>
  static Float each(Function function) {
    Float out;
    for (size_t i = 0; i < 16; ++i) out[i] = function(i);
    return out;
  }
  template <class Function>
  static Int each_int(Function function) {
    Int out;
    for (size_t i = 0; i < 16; ++i) out[i] = function(i);
    return out;
  }
  template <class Function>
  static Int each_byte(Int x, Function function) {
    auto bytes = std::bit_cast<Bytes>(x);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(function(byte));
    return std::bit_cast<Int>(bytes);
  }

  template <class Function>
  static Int each_int16(Function function) {
    Halves out;
    for (size_t i = 0; i < 32; ++i) out[i] = static_cast<int16_t>(std::clamp(function(i), -32768, 32767));
    return std::bit_cast<Int>(out);
  }

  static Float zero() { return {}; }
  static Float load(const float* from) {
    return each([&](size_t i) { return from[i]; });
  }
  static void store(float* to, Float x) { std::memcpy(to, x.data(), sizeof x); }
  static Float broadcast(const float* from) { return set1(*from); }
  static Float set1(float x) {
    return each([&](size_t) { return x; });
  }
  static Float add(Float a, Float b) {
    return each([&](size_t i) { return a[i] + b[i]; });
  }
  static Float sub(Float a, Float b) {
    return each([&](size_t i) { return a[i] - b[i]; });
  }
  static Float mul(Float a, Float b) {
    return each([&](size_t i) { return a[i] * b[i]; });
  }
  static Float fma(Float a, Float b, Float c) {
    return each([&](size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static Float silu(Float x) {
    return each([&](size_t i) { return silu_f32(x[i]); });
  }
  static Float to_float(Int x) {
    return each([&](size_t i) { return static_cast<float>(x[i]); });
  }
  static Float load_fp16(const std::byte* from) {
    return each([&](size_t i) { return float_from_f16(half_at(from, i)); });
  }
  static Float load_bf16(const std::byte* from) {
    return each([&](size_t i) { return float_from_bf16(half_at(from, i)); });
  }

  static Int load_int(const std::byte* from) {
    Int out;
    std::memcpy(out.data(), from, sizeof out);
    return out;
  }
  static void store_int(std::byte* to, Int x) { std::memcpy(to, x.data(), sizeof x); }
  static Int zero_int() { return {}; }
  static Int broadcast_quad(const std::byte* from) {
    int32_t quad;
    std::memcpy(&quad, from, sizeof quad);
    return each_int([&](size_t) { return quad; });
  }
  static Int low_nibbles(Int x) {
    return each_byte(x, [](uint8_t byte) { return byte & 15; });
  }
  static Int high_nibbles(Int x) {
    return each_byte(x, [](uint8_t byte) { return byte >> 4; });
  }
  static Int sub32(Int a, Int b) {
    return each_int([&](size_t i) { return a[i] - b[i]; });
  }
  static Int flip_sign_bits8(Int x) {
    return each_byte(x, [](uint8_t byte) { return byte ^ 0x80; });
  }
  static Int dot_u8_s8(Int sum, Int u, Int s) {
    const auto unsigned_bytes = std::bit_cast<Bytes>(u), signed_bytes = std::bit_cast<Bytes>(s);
    for (size_t i = 0; i < 64; ++i) sum[i / 4] += unsigned_bytes[i] * static_cast<int8_t>(signed_bytes[i]);
    return sum;
  }
  // Without dot_u8_s8(): products of bytes and their sums as int16, which saturate.
  static Int pairs_u8_s8(Int u, Int s) {
    const auto a = std::bit_cast<Bytes>(u);
    const auto b = std::bit_cast<std::array<int8_t, 64>>(s);
    return each_int16([&](size_t i) { return a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]; });
  }
  static Int add16(Int a, Int b) {
    const auto x = std::bit_cast<Halves>(a), y = std::bit_cast<Halves>(b);
    return each_int16([&](size_t i) { return int{static_cast<int16_t>(x[i] + y[i])}; });
  }
  static Int sum_pairs16(Int x) {
    const auto halves = std::bit_cast<Halves>(x);
    return each_int([&](size_t i) { return halves[2 * i] + halves[2 * i + 1]; });
  }
  static Int add32(Int a, Int b) {
    return each_int([&](size_t i) { return a[i] + b[i]; });
  }
  static Int magnitude8(Int x) {
    return each_byte(x, [](uint8_t byte) { return std::abs(static_cast<int8_t>(byte)); });
  }
  static Int with_sign8(Int x, Int by) {
    auto bytes = std::bit_cast<Bytes>(x);
    const auto signs = std::bit_cast<Bytes>(by);
    for (size_t i = 0; i < 64; ++i) bytes[i] = static_cast<uint8_t>(signs[i] >= 128 ? -bytes[i] : bytes[i]);
    return std::bit_cast<Int>(bytes);
  }

  template <int kIndex, bool kSigned>
  static Int byte_of_quad(Int x) {
    return each_int([&](size_t i) {
      const auto byte = static_cast<uint8_t>(static_cast<uint32_t>(x[i]) >> (8 * kIndex));
      return kSigned ? static_cast<int32_t>(static_cast<int8_t>(byte)) : static_cast<int32_t>(byte);
    });
  }

 private:
  static uint16_t half_at(const std::byte* from, size_t i) {
    uint16_t bits;
    std::memcpy(&bits, from + i * 2, sizeof bits);
    return bits;
  }
};

// As AVX-512 without VNNI.
struct PairVectors : RowVectors {
  static constexpr bool kHasDot = false;
};

struct Tiles {
  static inline int configured = 0;

  static void configure() { ++configured; }
  static void release() { --configured; }

  template <bool kSigned>
  static void multiply(const std::byte* strip, const std::byte* other, const std::byte* panel,
                       int32_t* dots) {
    CHECK(configured > 0, "tiles are used before they are configured");
    for (const std::byte* tokens : {strip, other}) {
      for (int group = 0; group < 2; ++group) {
        for (int m = 0; m < 16; ++m) {
          for (int row = 0; row < 16; ++row)
            *dots++ = dot<kSigned>(tokens + m * 32, panel + group * 64 + row * 4);
        }
      }
    }
  }

 private:
  template <bool kSigned>
  static int32_t dot(const std::byte* token, const std::byte* row) {
    int32_t sum = 0;
    for (int k = 0; k < 32; ++k) {
      const int weight = std::to_integer<int>(row[k / 4 * 128 + k % 4]);
      sum += static_cast<int8_t>(token[k]) * (kSigned ? static_cast<int8_t>(weight) : weight);
    }
    return sum;
  }
};

// Tile registers, whose products are those that Intel's manual defines for TDPBF16PS.
struct Bf16Tiles {
  using Tile = std::array<std::array<float, 16>, 16>;
  static inline int configured = 0;
  static inline std::array<std::array<Tile, 2>, 2> tiles;  // [strip][group]

  static void configure() { ++configured; }
  static void release() { --configured; }

  static float flush(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x; }

  static void round(const float* from, std::byte* to) {
    for (int i = 0; i < 32; ++i) {
      const uint16_t half = bf16_from_float(flush(from[i]));
      std::memcpy(to + i * 2, &half, sizeof half);
    }
  }

  template <int kStrips>
  static void load_sums(const float* sums) {
    CHECK(configured > 0, "tiles are used before they are configured");
    for_each_row<kStrips>([&](float* row, int64_t at) { std::memcpy(row, sums + at, 64); });
  }
  template <int kStrips>
  static void store_sums(float* sums) {
    for_each_row<kStrips>([&](float* row, int64_t at) { std::memcpy(sums + at, row, 64); });
  }

  template <int kStrips>
  static void multiply(const std::byte* strip, const std::byte* other, const std::byte* group,
                       const std::byte* next) {
    const std::array strips = {strip, other}, groups = {group, next};
    for (size_t s = 0; s < kStrips; ++s) {
      for (size_t g = 0; g < 2; ++g) {
        for (size_t m = 0; m < 16; ++m) {
          for (size_t n = 0; n < 16; ++n) add_dot(strips[s] + m * 64, groups[g] + n * 4, tiles[s][g][m][n]);
        }
      }
    }
  }

 private:
  // function(row of a tile of sums, where it lies in memory)
  template <int kStrips, class Function>
  static void for_each_row(Function function) {
    for (size_t s = 0; s < kStrips; ++s) {
      for (size_t m = 0; m < 16; ++m) {
        for (size_t g = 0; g < 2; ++g)
          function(tiles[s][g][m].data(), static_cast<int64_t>(((s * 16 + m) * 2 + g) * 16));
      }
    }
  }

  static float value(const std::byte* from) {
    uint16_t half;
    std::memcpy(&half, from, sizeof half);
    return flush(float_from_bf16(half));
  }

  static void add_dot(const std::byte* token, const std::byte* row, float& sum) {
    float even = 0, odd = 0;
    for (int pair = 0; pair < 16; ++pair, token += 4, row += 64) {
      even = flush(std::fma(value(token), value(row), even));
      odd = flush(std::fma(value(token + 2), value(row + 2), odd));
    }
    sum = flush(sum + flush(even + odd));
  }
};

}  // namespace
}  // namespace quire
