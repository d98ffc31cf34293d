// The roofline (Williams, Waterman, Patterson 2009): how near a piece of work comes to the bound that the
// machine sets it, be that memory or arithmetic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/function_ref.h"
#include "bench/machine_peaks.h"

namespace quire {

// What a piece of work must do, however it is done.
struct Work {
  double memory_bytes = 0;  // that cannot be in the caches: weights, keys and values
  double cache_bytes = 0;   // the rest of what it reads and writes
  double f32_ops = 0;       // multiplications and additions
  double int8_ops = 0;
  double bf16_ops = 0;
};

enum class Bound : uint8_t { kNone, kMemory, kArithmetic };

std::string_view to_string(Bound bound);

struct Peaks {
  double bandwidth = 0;  // bytes a second
  double f32 = 0;        // operations a second
  double int8 = 0;
  double bf16 = 0;
};

// The least time for `work`: that of the slower of memory and arithmetic, which overlap. 0 and kNone for
// work that has neither.
struct LeastTime {
  double seconds = 0;
  Bound bound = Bound::kNone;
};
LeastTime least_time(const Work& work, const Peaks& peaks);

// Where Work counts the operations of a linear at that level.
double& linear_ops(Work& work, Isa isa, DType weight, ActivationFormat format);

struct RooflineRow {
  std::string name;
  std::string shape;
  Work work;
  double seconds = 0;  // median
  Bound bound = Bound::kNone;
  double share = 0;  // median of least time / time, each beside its own peaks
};

// Times `run` several times, each beside fresh samples of the peaks that bound it. A run that takes less
// than a clock can tell is repeated.
RooflineRow measure(MachinePeaks& peaks, const Clock& clock, std::string name, std::string shape,
                    const Work& work, FunctionRef<void()> run);

// The peaks that bound `work`, sampled now; the others are 0.
Peaks sample_peaks(MachinePeaks& peaks, const Work& work);

}  // namespace quire
