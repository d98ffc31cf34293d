// Seeded randomness. Every draw is a pure function of (seed, counter), so a sequence's samples do not
// depend on who shares its batch, and a simulation replays from its seed. The mixer is SplitMix64 (Steele,
// Lea, Flood 2014).
#pragma once

#include <cstdint>

namespace quire {

constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// The draw number `counter` of the stream `seed`: SplitMix64 started at the mixed seed, entered at any
// place.
constexpr uint64_t random_bits(uint64_t seed, uint64_t counter) {
  return mix64(mix64(seed) + counter * 0x9e3779b97f4a7c15ULL);
}

// Uniform in [0, 1), 53 bits.
constexpr double random_uniform(uint64_t seed, uint64_t counter) {
  return static_cast<double>(random_bits(seed, counter) >> 11) * 0x1.0p-53;
}

// A stream with its own counter. Satisfies UniformRandomBitGenerator.
class Rng {
 public:
  using result_type = uint64_t;
  explicit Rng(uint64_t seed) : seed_(seed) {}
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return ~uint64_t{0}; }
  uint64_t operator()() { return random_bits(seed_, counter_++); }
  double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
  // Uniform in [0, bound); bound > 0. The bias is below 2^-32 for the bounds used here.
  uint64_t below(uint64_t bound) { return (*this)() % bound; }

 private:
  uint64_t seed_;
  uint64_t counter_ = 0;
};

}  // namespace quire
