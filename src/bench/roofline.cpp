#include "bench/roofline.h"

#include <algorithm>
#include <utility>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int kMinSamples = 7, kMaxSamples = 25;
constexpr double kBudgetSeconds = 0.15;      // of one row, beyond the fewest samples
constexpr double kShortestSeconds = 200e-6;  // of one sample

}  // namespace

std::string_view to_string(Bound bound) {
  switch (bound) {
    case Bound::kNone: return "-";
    case Bound::kMemory: return "memory";
    case Bound::kArithmetic: return "arithmetic";
  }
  return "-";
}

LeastTime least_time(const Work& work, const Peaks& peaks) {
  const auto time = [](double amount, double rate) { return amount > 0 && rate > 0 ? amount / rate : 0; };
  const double memory = time(work.memory_bytes, peaks.bandwidth);
  const double arithmetic =
      time(work.f32_ops, peaks.f32) + time(work.int8_ops, peaks.int8) + time(work.bf16_ops, peaks.bf16);
  if (memory == 0 && arithmetic == 0) return {};
  return memory >= arithmetic ? LeastTime{memory, Bound::kMemory}
                              : LeastTime{arithmetic, Bound::kArithmetic};
}

Peaks sample_peaks(MachinePeaks& peaks, const Work& work) {
  return {.bandwidth = work.memory_bytes > 0 ? peaks.sample_bandwidth() : 0,
          .f32 = work.f32_ops > 0 ? peaks.sample(Arithmetic::kF32) : 0,
          .int8 = work.int8_ops > 0 ? peaks.sample(Arithmetic::kInt8) : 0,
          .bf16 = work.bf16_ops > 0 ? peaks.sample(Arithmetic::kBF16) : 0};
}

double& linear_ops(Work& work, Isa isa, DType weight, ActivationFormat format) {
  if (format == ActivationFormat::kInt8) return work.int8_ops;
  return isa >= Isa::kAmx && weight == DType::kBF16 ? work.bf16_ops : work.f32_ops;
}

RooflineRow measure(MachinePeaks& peaks, const Clock& clock, std::string name, std::string shape,
                    const Work& work, FunctionRef<void()> run) {
  const auto time = [&](int64_t repeats) {
    const int64_t start_ns = clock.now_ns();
    for (int64_t i = 0; i < repeats; ++i) run();
    const auto elapsed_ns = static_cast<double>(std::max<int64_t>(1, clock.now_ns() - start_ns));
    return elapsed_ns * 1e-9 / static_cast<double>(repeats);
  };
  time(1);  // page tables, caches, frequency
  const auto repeats = static_cast<int64_t>(std::clamp(kShortestSeconds / time(1), 1.0, 1e6));
  std::vector<double> times, shares;
  Bound bound = Bound::kNone;
  const int64_t start_ns = clock.now_ns();
  for (int i = 0; i < kMaxSamples; ++i) {
    if (i >= kMinSamples && static_cast<double>(clock.now_ns() - start_ns) * 1e-9 > kBudgetSeconds) break;
    const LeastTime least = least_time(work, sample_peaks(peaks, work));
    times.push_back(time(repeats));
    shares.push_back(least.seconds / times.back());
    bound = least.bound;
  }
  return {.name = std::move(name),
          .shape = std::move(shape),
          .work = work,
          .seconds = percentile(times, 50),
          .bound = bound,
          .share = percentile(shares, 50)};
}

}  // namespace quire
