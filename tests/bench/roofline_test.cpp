#include "bench/roofline.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace quire {
namespace {

constexpr Peaks kPeaks{.bandwidth = 10e9, .f32 = 100e9, .int8 = 400e9, .bf16 = 200e9};

TEST(LeastTime, IsThatOfTheSlowerOfMemoryAndArithmetic) {
  const LeastTime memory = least_time({.memory_bytes = 5e9, .int8_ops = 1e9}, kPeaks);
  EXPECT_EQ(memory.bound, Bound::kMemory);
  EXPECT_DOUBLE_EQ(memory.seconds, 0.5);
  const LeastTime arithmetic =
      least_time({.memory_bytes = 1e9, .f32_ops = 50e9, .int8_ops = 100e9}, kPeaks);
  EXPECT_EQ(arithmetic.bound, Bound::kArithmetic);
  EXPECT_DOUBLE_EQ(arithmetic.seconds, 0.75);  // both kinds, one after the other
  const LeastTime bf16 = least_time({.memory_bytes = 1e9, .f32_ops = 50e9, .bf16_ops = 50e9}, kPeaks);
  EXPECT_EQ(bf16.bound, Bound::kArithmetic);
  EXPECT_DOUBLE_EQ(bf16.seconds, 0.75);
}

TEST(LinearOps, CountTowardsTheArithmeticThatTheLevelUses) {
  constexpr auto kF32 = ActivationFormat::kF32, kInt8 = ActivationFormat::kInt8;
  Work work;
  linear_ops(work, Isa::kAmx, DType::kBF16, kF32) += 1;
  linear_ops(work, Isa::kVnni, DType::kBF16, kF32) += 10;
  linear_ops(work, Isa::kAmx, DType::kF16, kF32) += 100;
  linear_ops(work, Isa::kAmx, DType::kQ4_1, kF32) += 1000;
  linear_ops(work, Isa::kAmx, DType::kQ4_1, kInt8) += 10000;
  EXPECT_EQ(work.bf16_ops, 1);
  EXPECT_EQ(work.f32_ops, 1110);
  EXPECT_EQ(work.int8_ops, 10000);
}

TEST(LeastTime, CacheTrafficBoundsNothing) {
  const LeastTime none = least_time({.cache_bytes = 1e12}, kPeaks);
  EXPECT_EQ(none.bound, Bound::kNone);
  EXPECT_EQ(none.seconds, 0);
}

TEST(LeastTime, AnUnknownPeakBoundsNothing) {
  EXPECT_EQ(least_time({.int8_ops = 1e9}, {.bandwidth = 1, .f32 = 1}).bound, Bound::kNone);
}

// A clock that only the work itself moves.
class WorkClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_; }
  int64_t unix_seconds() const override { return 0; }
  void advance(int64_t ns) { now_ns_ += ns; }

 private:
  int64_t now_ns_ = 0;
};

TEST(Measure, CountsTheTimeOfOneRun) {
  const SystemClock clock;
  WorkClock work_clock;
  ThreadPool pool(1);
  auto peaks = MachinePeaks::create(pool, clock, *kernels_for(Isa::kScalar), 32 << 20);
  ASSERT_TRUE(peaks);
  int64_t runs = 0;
  const auto row = measure(*peaks, work_clock, "kernel", "shape", {.memory_bytes = 1e6, .f32_ops = 1}, [&] {
    ++runs;
    work_clock.advance(50'000);
  });
  EXPECT_DOUBLE_EQ(row.seconds, 50e-6);
  EXPECT_EQ(row.bound, Bound::kMemory);
  EXPECT_GT(row.share, 0);
  EXPECT_GT(runs, 4 * 7);  // a sample of so short a run is several of them
}

TEST(MachinePeaks, EveryProbeOfTheLevelRuns) {
  const SystemClock clock;
  ThreadPool pool(2);
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kVnni, Isa::kAmx}) {
    const KernelTable* table = kernels_for(isa);
    if (table == nullptr) {
      std::printf("this CPU lacks %s\n", std::string(to_string(isa)).c_str());
      continue;
    }
    auto peaks = MachinePeaks::create(pool, clock, *table, 32 << 20);
    ASSERT_TRUE(peaks);
    EXPECT_GT(peaks->median_bandwidth(3), 0);
    EXPECT_GT(peaks->sample(Arithmetic::kF32), 0);
    for (const PeakProbe& probe : peaks->probes()) EXPECT_GT(peaks->median(probe, 3), 0) << probe.name;
  }
}

}  // namespace
}  // namespace quire
