// The kernels of fill_attention_*, by level. A level calls the one below it for the shapes that it does not
// take: AVX2 wants head_dim a multiple of 8; AVX-512 wants head_dim and block_size multiples of 16. The
// layouts are the same.
#pragma once

#include "kernels/kernel_args.h"

namespace quire {

namespace scalar {
void rope(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void rope_kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
}  // namespace scalar

namespace avx2 {
void rope(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void rope_kv_write(const ExecContext& context, const RopeKvArgs& args, int64_t begin, int64_t end);
void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
}  // namespace avx2

namespace avx512 {
void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end);
}  // namespace avx512

}  // namespace quire
