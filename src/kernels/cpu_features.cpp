#include "kernels/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace quire {
namespace {

#if defined(__x86_64__)

constexpr unsigned kAmxBf16 = 1U << 22, kAmxTile = 1U << 24, kAmxInt8 = 1U << 25;  // CPUID leaf 7, EDX
constexpr unsigned kTileState = 3U << 17;  // XCR0: tile configuration and data

bool cpu_has_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  constexpr unsigned kWanted = kAmxTile | kAmxInt8 | kAmxBf16;
  if ((edx & kWanted) != kWanted) return false;
  unsigned low = 0, high = 0;  // the operating system's part; XGETBV is there if AVX is
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileState) == kTileState;
}

// Linux saves the 8 KiB of tiles only for processes that have asked, once for all their threads.
bool request_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

#endif

}  // namespace

// libgcc's answer includes the operating system's part: it masks AVX and AVX-512 by XCR0.
CpuFeatures detect_cpu_features() {
  CpuFeatures features;
#if defined(__x86_64__)
  __builtin_cpu_init();
  features.avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  features.avx512 = features.avx2 && __builtin_cpu_supports("avx512f") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  features.vnni = features.avx512 && __builtin_cpu_supports("avx512vnni");
  features.amx = features.vnni && __builtin_cpu_supports("avx512bf16") && cpu_has_amx() && request_tiles();
#endif
  return features;
}

}  // namespace quire
