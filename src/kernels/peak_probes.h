// Short loops that do nothing but arithmetic in registers: what this CPU's units can reach, for the bench
// room to hold kernels against. Included by files of every instruction set: no inline functions.
#pragma once

#include <cstdint>

namespace quire {

enum class Arithmetic : uint8_t { kF32, kInt8, kBF16 };

struct PeakProbe {
  const char* name;  // the instructions
  Arithmetic arithmetic;
  int64_t ops;    // multiplications and additions of one call
  void (*run)();  // takes some 10 microseconds; on one thread
};

struct PeakProbeList {
  const PeakProbe* probes;
  int32_t count;
};

// Those of one level; only a CPU that has it may run them.
PeakProbeList peak_probes_scalar();
PeakProbeList peak_probes_avx2();
PeakProbeList peak_probes_avx512();
PeakProbeList peak_probes_vnni();
PeakProbeList peak_probes_amx();

}  // namespace quire
