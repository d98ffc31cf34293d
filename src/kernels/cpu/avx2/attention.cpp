#include "kernels/cpu/avx2/simd.h"
// After the Simd it is written for.
#include "kernels/cpu/attention_entries.h"
#include "kernels/cpu/attention_task.h"
#include "kernels/cpu/fill.h"

namespace quire {
namespace avx2 {

void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  if (args.kv.head_dim % Simd::kLanes != 0) return scalar::attention(context, args, begin, end);
  attend_tasks(context, args, begin, end);
}

void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  if (args.kv.head_dim % Simd::kLanes != 0) return scalar::attention_merge(context, args, begin, end);
  merge_partials(context, args, begin, end);
}

}  // namespace avx2

void fill_attention_avx2(KernelTable& table) {
  table.rope = avx2::rope;
  table.kv_write = avx2::kv_write;
  table.rope_kv_write = avx2::rope_kv_write;
  table.attention = avx2::attention;
  table.attention_merge = avx2::attention_merge;
}

}  // namespace quire
