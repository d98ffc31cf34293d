#include <immintrin.h>

#include "kernels/cpu/peak_chains.h"

namespace quire {
namespace {

void dot_int8() {
  const __m512i a = _mm512_set1_epi8(3);
  run_chains(
      _mm512_setzero_si512(), [a](__m512i sum) __attribute__((always_inline)) {
        sum = _mm512_dpbusd_epi32(sum, a, a);
        asm volatile("" : "+v"(sum));
        return sum;
      });
}

constexpr PeakProbe kProbes[] = {
    {"VNNI int8 dpbusd", Arithmetic::kInt8, kRounds* kChains * 2 * 64, dot_int8}};

}  // namespace

PeakProbeList peak_probes_vnni() { return {kProbes, 1}; }

}  // namespace quire
