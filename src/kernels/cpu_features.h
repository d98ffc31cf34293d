// What the CPU and the operating system offer to kernels.
#pragma once

namespace quire {

// Each flag says that a level's whole set of instructions can be used: the CPU has them, and the operating
// system saves their registers (XGETBV).
struct CpuFeatures {
  bool avx2 = false;    // AVX2, FMA, F16C
  bool avx512 = false;  // AVX-512 F, BW, DQ, VL, and the above
};

CpuFeatures detect_cpu_features();

}  // namespace quire
