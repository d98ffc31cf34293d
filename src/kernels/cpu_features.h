// What the CPU and the operating system offer to kernels.
#pragma once

namespace quire {

// Each flag says that a level's whole set of instructions can be used: the CPU has them, and the operating
// system saves their registers (XGETBV).
struct CpuFeatures {
  bool avx2 = false;    // AVX2, FMA, F16C
  bool avx512 = false;  // AVX-512 F, BW, DQ, VL, and the above
  bool vnni = false;    // AVX-512 VNNI, and the above
  bool amx = false;     // AMX tiles of int8 and bf16, AVX-512 BF16, and the above; asking lets
                        // this process use them
};

CpuFeatures detect_cpu_features();

}  // namespace quire
