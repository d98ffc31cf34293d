// Rope and the writes of keys and values stay those of AVX2: they are bound by memory.
#include "kernels/cpu/avx512/simd.h"
// attention_task.h is written for the Simd above.
#include "kernels/cpu/attention_entries.h"
#include "kernels/cpu/attention_task.h"
#include "kernels/cpu/fill.h"

namespace quire {
namespace {

bool fits(const KvCacheView& kv) {
  return kv.head_dim % Simd::kLanes == 0 && kv.block_size % Simd::kLanes == 0;
}

}  // namespace

namespace avx512 {

void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  if (!fits(args.kv)) return avx2::attention(context, args, begin, end);
  attend_tasks(context, args, begin, end);
}

void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  if (!fits(args.kv)) return avx2::attention_merge(context, args, begin, end);
  merge_partials(context, args, begin, end);
}

}  // namespace avx512

void fill_attention_avx512(KernelTable& table) {
  table.attention = avx512::attention;
  table.attention_merge = avx512::attention_merge;
}

}  // namespace quire
