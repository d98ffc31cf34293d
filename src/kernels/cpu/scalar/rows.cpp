// Elementwise operations on rows, and reductions of one row of logits.
#include "kernels/cpu/fill.h"
#include "kernels/cpu/scalar/exp.h"

namespace quire {
namespace {

void silu_mul(const ExecContext&, const BinaryArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* a = args.a + token * args.a_stride;
    const float* b = args.b + token * args.b_stride;
    float* out = args.out + token * args.out_stride;
    for (int64_t i = 0; i < args.width; ++i) out[i] = silu_f32(a[i]) * b[i];
  }
}

void add(const ExecContext&, const BinaryArgs& args, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* a = args.a + token * args.a_stride;
    const float* b = args.b + token * args.b_stride;
    float* out = args.out + token * args.out_stride;
    for (int64_t i = 0; i < args.width; ++i) out[i] = a[i] + b[i];
  }
}

int64_t argmax(const float* x, int64_t count) {
  int64_t best = -1;
  for (int64_t i = 0; i < count; ++i) {
    if (x[i] != x[i]) continue;
    if (best < 0 || x[i] > x[best]) best = i;
  }
  return best < 0 ? 0 : best;
}

void max_sum_exp(const float* x, int64_t count, float scale, float* maximum, double* sum) {
  float highest = -__builtin_inff();
  for (int64_t i = 0; i < count; ++i) highest = x[i] > highest ? x[i] : highest;
  double total = 0;
  for (int64_t i = 0; i < count; ++i) total += exp_f32(scale * (x[i] - highest));
  *maximum = highest;
  *sum = total;
}

int64_t select(const float* x, int64_t count, float threshold, int32_t* out) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    out[found] = static_cast<int32_t>(i);
    found += x[i] >= threshold ? 1 : 0;
  }
  return found;
}

}  // namespace

void fill_rows_scalar(KernelTable& table) {
  table.silu_mul = silu_mul;
  table.add = add;
  table.argmax = argmax;
  table.max_sum_exp = max_sum_exp;
  table.select = select;
}

}  // namespace quire
