// Paged attention, one (row, query head) pair at a time: the plain form that the others are compared with.
#include "kernels/cpu/attention_entries.h"
#include "kernels/cpu/attention_layout.h"
#include "kernels/cpu/fill.h"
#include "kernels/cpu/scalar/exp.h"
#include "kernels/cpu/scalar/half.h"
#include "kernels/cpu/scalar/quantizer.h"

namespace quire {
namespace {

float to_float(float x) { return x; }
float to_float(Float16 x) { return float_from_f16(x.bits); }
float to_float(BFloat16 x) { return float_from_bf16(x.bits); }

// Softmax over some keys: weights exp(score - maximum), their total, and sums[d] = sum of weight *
// value[d]. A total of 0 says: no keys.
struct Softmax {
  float maximum;
  float total;
  float* sums;  // [head_dim]
};

// One pair's view of a step.
struct Pair {
  const float* q;  // [head_dim]
  const int32_t* blocks;
  int32_t kv_head;
  int32_t limit;  // keys at positions below it count
};

template <class T>
void score_chunk(const AttentionArgs& args, const Pair& pair, int32_t begin, int32_t count, float* scores) {
  const KvCacheView& kv = args.kv;
  const int32_t lanes = key_lanes(kv.block_size);
  for (int32_t j = 0; j < count; ++j) {
    const int32_t position = begin + j;
    const T* key =
        reinterpret_cast<const T*>(keys_of_block(kv, pair.blocks[position / kv.block_size], pair.kv_head)) +
        key_offset(kv, position % kv.block_size);
    float score = 0;
    for (int32_t d = 0; d < kv.head_dim; ++d) score += pair.q[d] * to_float(key[int64_t{d} * lanes]);
    scores[j] = score * args.scale;
  }
}

template <class T>
void attend_chunk(const AttentionArgs& args, const Pair& pair, int32_t chunk, float* scores, Softmax& out) {
  const KvCacheView& kv = args.kv;
  const int32_t begin = chunk * kAttentionChunk;
  const int32_t count = pair.limit - begin < kAttentionChunk ? pair.limit - begin : kAttentionChunk;
  out.total = 0;
  if (count <= 0) return;
  score_chunk<T>(args, pair, begin, count, scores);
  out.maximum = scores[0];
  for (int32_t j = 1; j < count; ++j) out.maximum = scores[j] > out.maximum ? scores[j] : out.maximum;
  for (int32_t d = 0; d < kv.head_dim; ++d) out.sums[d] = 0;
  for (int32_t j = 0; j < count; ++j) {
    const int32_t position = begin + j;
    const T* value = reinterpret_cast<const T*>(
                         values_of_block(kv, pair.blocks[position / kv.block_size], pair.kv_head)) +
                     value_offset(kv, position % kv.block_size);
    const float weight = exp_f32(scores[j] - out.maximum);
    out.total += weight;
    for (int32_t d = 0; d < kv.head_dim; ++d) out.sums[d] += weight * to_float(value[d]);
  }
}

// The same over int8 (attention_int8.h says how), in exact integer sums.
template <>
void score_chunk<Int8>(const AttentionArgs& args, const Pair& pair, int32_t begin, int32_t count,
                       float* scores) {
  const KvCacheView& kv = args.kv;
  const int32_t stride = 2 * key_lanes(kv.block_size);
  const Quantizer quantizer = quantizer_of(pair.q, kv.head_dim, max_query_quant(kv.head_dim));
  for (int32_t j = 0; j < count; ++j) {
    const int32_t offset = (begin + j) % kv.block_size;
    std::byte* keys = keys_of_block(kv, pair.blocks[(begin + j) / kv.block_size], pair.kv_head);
    const Int8* key = reinterpret_cast<const Int8*>(keys) + key_offset_int8(kv, offset);
    int32_t dot = 0;
    for (int32_t d = 0; d < kv.head_dim; ++d)
      dot += quant(quantizer, pair.q[d]) * key[d / 2 * stride + d % 2];
    const float scaled = static_cast<float>(dot) * scales_of_block(kv, keys)[offset];
    scores[j] = scaled * (quantizer.scale * args.scale);
  }
}

template <>
void attend_chunk<Int8>(const AttentionArgs& args, const Pair& pair, int32_t chunk, float* scores,
                        Softmax& out) {
  const KvCacheView& kv = args.kv;
  const int32_t begin = chunk * kAttentionChunk;
  const int32_t count = pair.limit - begin < kAttentionChunk ? pair.limit - begin : kAttentionChunk;
  out.total = 0;
  if (count <= 0) return;
  score_chunk<Int8>(args, pair, begin, count, scores);
  out.maximum = scores[0];
  for (int32_t j = 1; j < count; ++j) out.maximum = scores[j] > out.maximum ? scores[j] : out.maximum;
  float most = 0;
  float check = 0;  // NaN if a value's scale is
  for (int32_t j = 0; j < count; ++j) {
    const int32_t position = begin + j;
    std::byte* values = values_of_block(kv, pair.blocks[position / kv.block_size], pair.kv_head);
    const float weight = exp_f32(scores[j] - out.maximum);
    out.total += weight;
    scores[j] = weight * scales_of_block(kv, values)[position % kv.block_size];
    most = scores[j] > most ? scores[j] : most;
    check += scores[j];
  }
  const float inverse = most >= kLeastMaximum ? kMaxWeightQuant / most : 0.0F;
  const float unit = most * (1.0F / kMaxWeightQuant) + 0.0F * check;
  for (int32_t d = 0; d < kv.head_dim; ++d) {
    int32_t sum = 0;
    for (int32_t j = 0; j < count; ++j) {
      const int32_t position = begin + j;
      std::byte* values = values_of_block(kv, pair.blocks[position / kv.block_size], pair.kv_head);
      const Int8* value =
          reinterpret_cast<const Int8*>(values) + value_offset_int8(kv, position % kv.block_size);
      sum += quant({0, check == check ? inverse : 0.0F}, scores[j]) * value[2 * d];
    }
    out.sums[d] = static_cast<float>(sum) * unit;
  }
}

// into = into and then next; the one expression by which chunks are joined.
void fold(Softmax& into, const Softmax& next, int32_t head_dim) {
  if (next.total == 0) return;
  if (into.total == 0) {
    into.maximum = next.maximum;
    into.total = next.total;
    for (int32_t d = 0; d < head_dim; ++d) into.sums[d] = next.sums[d];
    return;
  }
  const float maximum = into.maximum > next.maximum ? into.maximum : next.maximum;
  const float keep = exp_f32(into.maximum - maximum);
  const float take = exp_f32(next.maximum - maximum);
  into.maximum = maximum;
  into.total = into.total * keep + next.total * take;
  for (int32_t d = 0; d < head_dim; ++d) into.sums[d] = into.sums[d] * keep + next.sums[d] * take;
}

void store_partial(const Softmax& from, float* partial, int32_t head_dim) {
  partial[0] = from.maximum;
  partial[1] = from.total;
  for (int32_t d = 0; d < head_dim; ++d) partial[kPartialHeader + d] = from.sums[d];
}

void store_out(const Softmax& from, float* out, int32_t head_dim) {
  const float inverse = 1.0F / from.total;
  for (int32_t d = 0; d < head_dim; ++d) out[d] = from.sums[d] * inverse;
}

// `index` is the pair's place in its task, of `pairs`.
template <class T>
void attend_pair(const ExecContext& context, const AttentionArgs& args, const AttentionTask& task,
                 const Pair& pair, int64_t index, int64_t pairs, float* out) {
  const int32_t head_dim = args.kv.head_dim;
  const AttentionScratch at = attention_scratch(1, head_dim);
  float* scratch = reinterpret_cast<float*>(context.scratch);
  Softmax folded{0, 0, scratch + at.sums};
  Softmax next{0, 0, scratch + at.chunk_sums};
  const bool first_piece = task.first_chunk == 0;
  for (int32_t i = 0; i < task.num_chunks; ++i) {
    attend_chunk<T>(args, pair, task.first_chunk + i, scratch + at.scores, next);
    if (first_piece) {
      fold(folded, next, head_dim);
    } else {
      const int64_t place = task.partial + i * pairs + index;
      store_partial(next, args.partials + place * partial_stride(head_dim), head_dim);
    }
  }
  if (!first_piece) return;
  if (task.partial < 0) return store_out(folded, out, head_dim);
  store_partial(folded, args.partials + (task.partial + index) * partial_stride(head_dim), head_dim);
}

template <class T>
void attend(const ExecContext& context, const AttentionArgs& args, const AttentionTask& task) {
  const AttentionSequence& sequence = args.sequences[task.sequence];
  const int32_t head_dim = args.kv.head_dim;
  const int32_t heads = args.num_heads / args.kv.num_kv_heads;
  for (int32_t r = 0; r < task.num_rows; ++r) {
    const int64_t row = sequence.first_row + task.first_row + r;
    const int32_t limit = sequence.context - sequence.num_rows + task.first_row + r + 1;
    for (int32_t h = 0; h < heads; ++h) {
      const int64_t column = (int64_t{task.kv_head} * heads + h) * head_dim;
      const Pair pair{args.q + row * args.q_stride + column, sequence.blocks, task.kv_head, limit};
      attend_pair<T>(context, args, task, pair, int64_t{r} * heads + h, int64_t{task.num_rows} * heads,
                     args.out + row * args.out_stride + column);
    }
  }
}

}  // namespace

namespace scalar {

void attention(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    switch (args.kv.dtype) {
      case KvDType::kF32: attend<float>(context, args, args.tasks[i]); break;
      case KvDType::kF16: attend<Float16>(context, args, args.tasks[i]); break;
      case KvDType::kBF16: attend<BFloat16>(context, args, args.tasks[i]); break;
      case KvDType::kInt8: attend<Int8>(context, args, args.tasks[i]); break;
    }
  }
}

void attention_merge(const ExecContext& context, const AttentionArgs& args, int64_t begin, int64_t end) {
  const int32_t head_dim = args.kv.head_dim;
  const int32_t heads = args.num_heads / args.kv.num_kv_heads;
  float* scratch = reinterpret_cast<float*>(context.scratch);
  for (int64_t i = begin; i < end; ++i) {
    const AttentionMerge& merge = args.merges[i];
    const int32_t pairs = merge.num_rows * heads;
    for (int32_t p = 0; p < pairs; ++p) {
      Softmax folded{0, 0, scratch};
      for (int32_t k = 0; k < merge.num_partials; ++k) {
        float* partial =
            args.partials + (merge.first_partial + int64_t{k} * pairs + p) * partial_stride(head_dim);
        fold(folded, {partial[0], partial[1], partial + kPartialHeader}, head_dim);
      }
      const int64_t row = args.sequences[merge.sequence].first_row + merge.first_row + p / heads;
      const int64_t column = (int64_t{merge.kv_head} * heads + p % heads) * head_dim;
      store_out(folded, args.out + row * args.out_stride + column, head_dim);
    }
  }
}

}  // namespace scalar

void fill_attention_scalar(KernelTable& table) {
  table.rope = scalar::rope;
  table.kv_write = scalar::kv_write;
  table.rope_kv_write = scalar::rope_kv_write;
  table.attention = scalar::attention;
  table.attention_merge = scalar::attention_merge;
}

}  // namespace quire
