// Attention tasks and merges for any vector width, on the tiles of attention_tile.h. Internal linkage.
#pragma once

#include "kernels/cpu/attention_tile.h"

namespace quire {
namespace {

constexpr int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

// Softmax over some keys: maximum of the scores in units of log2, sum of weights, sums of weight * value. A
// total of 0 says: no keys.
struct Softmax {
  float* maximum;
  float* total;
  float* sums;  // [head_dim]
};

// into = into and then next: the one expression by which chunks are joined, in a task and in a merge.
inline void fold(const Softmax& into, const Softmax& next, int32_t head_dim) {
  using Vec = Simd::Vec;
  if (*next.total == 0) return;
  if (*into.total == 0) {
    *into.maximum = *next.maximum;
    *into.total = *next.total;
    for (int32_t d = 0; d < head_dim; d += Simd::kLanes)
      Simd::store(into.sums + d, Simd::load(next.sums + d));
    return;
  }
  const Vec before = Simd::set1(*into.maximum);
  const Vec after = Simd::set1(*next.maximum);
  const Vec maximum = Simd::max(before, after);
  const Vec keep = Simd::exp2(Simd::sub(before, maximum));
  const Vec take = Simd::exp2(Simd::sub(after, maximum));
  float lanes[Simd::kLanes];
  Simd::store(lanes, maximum);
  *into.maximum = lanes[0];
  Simd::store(lanes, Simd::fma(Simd::set1(*next.total), take, Simd::mul(Simd::set1(*into.total), keep)));
  *into.total = lanes[0];
  for (int32_t d = 0; d < head_dim; d += Simd::kLanes) {
    const Vec kept = Simd::mul(Simd::load(into.sums + d), keep);
    Simd::store(into.sums + d, Simd::fma(Simd::load(next.sums + d), take, kept));
  }
}

inline void store_out(const Softmax& from, float* out, int32_t head_dim) {
  const Simd::Vec inverse = Simd::set1(1.0F / *from.total);
  for (int32_t d = 0; d < head_dim; d += Simd::kLanes) {
    Simd::store(out + d, Simd::mul(Simd::load(from.sums + d), inverse));
  }
}

// A task at work. Pair i is row i / heads of the task and query head i % heads of its KV head; pairs are
// cut into tiles of nearly equal height.
template <class T>
class TaskRun {
 public:
  TaskRun(const ExecContext& context, const AttentionArgs& args, const AttentionTask& task)
      : args_(args),
        task_(task),
        sequence_(args.sequences[task.sequence]),
        head_dim_(args.kv.head_dim),
        heads_(args.num_heads / args.kv.num_kv_heads),
        pairs_(task.num_rows * heads_),
        tiles_((pairs_ + kMaxTileRows - 1) / kMaxTileRows),
        first_limit_(sequence_.context - sequence_.num_rows + task.first_row + 1) {
    const AttentionScratch at = attention_scratch(pairs_, head_dim_);
    float* scratch = reinterpret_cast<float*>(context.scratch);
    q_ = scratch + at.q;
    sums_ = scratch + at.sums;
    maxima_ = scratch + at.maxima;
    totals_ = scratch + at.totals;
    chunk_sums_ = scratch + at.chunk_sums;
    scores_ = scratch + at.scores;
    keys_ = reinterpret_cast<const T**>(scratch + at.keys);
    values_ = reinterpret_cast<const T**>(scratch + at.values);
  }

  void run() {
    pack_queries();
    for (int32_t i = 0; i < pairs_; ++i) totals_[i] = 0;
    for (int32_t i = 0; i < task_.num_chunks; ++i) {
      const int32_t begin = (task_.first_chunk + i) * kAttentionChunk;
      map_chunk(begin);
      for (int32_t tile = 0; tile < tiles_; ++tile) {
        switch (tile_begin(tile + 1) - tile_begin(tile)) {
          case 1: attend<1>(tile, begin); break;
          case 2: attend<2>(tile, begin); break;
          case 3: attend<3>(tile, begin); break;
          case 4: attend<4>(tile, begin); break;
          case 5: attend<5>(tile, begin); break;
          default: attend<6>(tile, begin); break;
        }
      }
      if (later_piece()) store_partials(int64_t{i} * pairs_);
    }
    if (!later_piece()) finish();
  }

 private:
  // Of a context that is cut: its chunks are not folded here but leave a partial each.
  bool later_piece() const { return task_.first_chunk > 0; }
  int32_t tile_begin(int32_t tile) const { return static_cast<int32_t>(int64_t{pairs_} * tile / tiles_); }
  // Keys of the chunk at `begin` that the pair attends to.
  int32_t keys_in_chunk(int32_t pair, int32_t begin) const {
    const int32_t count = least(first_limit_ + pair / heads_ - begin, kAttentionChunk);
    return count > 0 ? count : 0;
  }
  int64_t row_of(int32_t pair) const { return sequence_.first_row + task_.first_row + pair / heads_; }
  int64_t column_of(int32_t pair) const {
    return (int64_t{task_.kv_head} * heads_ + pair % heads_) * head_dim_;
  }
  Softmax state_of(int32_t pair) const {
    return {maxima_ + pair, totals_ + pair, sums_ + int64_t{pair} * head_dim_};
  }

  // q_: tile by tile, [head_dim][pairs of the tile], scaled so that weights are powers of 2.
  void pack_queries() {
    constexpr float kLog2E = 1.44269504F;
    const float scale = args_.scale * kLog2E;
    for (int32_t tile = 0; tile < tiles_; ++tile) {
      const int32_t begin = tile_begin(tile);
      const int32_t height = tile_begin(tile + 1) - begin;
      for (int32_t m = 0; m < height; ++m) {
        const float* from = args_.q + row_of(begin + m) * args_.q_stride + column_of(begin + m);
        float* to = q_ + int64_t{begin} * head_dim_ + m;
        for (int32_t d = 0; d < head_dim_; ++d) to[d * height] = from[d] * scale;
      }
    }
  }

  // Finds the chunk's keys and values through the block table, as far as the task's last row sees, and
  // those of the next vectors, which are only fetched. The last pointer fills places without a token.
  void map_chunk(int32_t begin) {
    const KvCacheView& kv = args_.kv;
    const int32_t limit = first_limit_ + task_.num_rows - 1;
    const int32_t vectors = (least(limit - begin, kAttentionChunk) + Simd::kLanes - 1) / Simd::kLanes;
    const int32_t end = (vectors + 7) / 8 * 8 + kAheadVectors;
    for (int32_t vector = 0; vector < end; ++vector) {
      const int32_t position = begin + vector * Simd::kLanes;
      if (position >= limit) {
        keys_[vector] = keys_[vector - 1];
        values_[vector] = values_[vector - 1];
        continue;
      }
      const int32_t block = sequence_.blocks[position / kv.block_size];
      const int32_t offset = position % kv.block_size;
      keys_[vector] = keys_of_block<T>(kv, block) + key_offset(kv, task_.kv_head, offset);
      values_[vector] = values_of_block<T>(kv, block) + value_offset(kv, task_.kv_head, offset);
    }
  }

  // Scores, weights and weighted values of one tile and chunk.
  template <int kRows>
  void attend(int32_t tile, int32_t begin) {
    const int32_t first = tile_begin(tile);
    const ChunkView<T> chunk{keys_, values_, key_lanes(args_.kv.block_size), head_dim_};
    const int32_t most = keys_in_chunk(first + kRows - 1, begin);
    float maxima[kRows] = {};
    float totals[kRows] = {};
    if (most > 0) {
      score_chunk<kRows>(chunk, q_ + int64_t{first} * head_dim_, (most + Simd::kLanes - 1) / Simd::kLanes,
                         scores_);
      int32_t fewest = most;  // keys that all rows with any keys have
      for (int m = kRows - 1; m >= 0; --m) {
        const int32_t count = keys_in_chunk(first + m, begin);
        if (count == 0) break;
        fewest = count;
        softmax_row(scores_ + m * kScoreStride, count, maxima[m], totals[m]);
      }
      for (int32_t d = 0; d < kRows * head_dim_; d += Simd::kLanes)
        Simd::store(chunk_sums_ + d, Simd::zero());
      weigh_values<kRows>(chunk, scores_, 0, fewest, chunk_sums_);
      // A key that a row does not see is not even multiplied by zero: it may be infinite.
      for (int m = 0; m < kRows; ++m) {
        const int32_t count = keys_in_chunk(first + m, begin);
        if (count <= fewest) continue;
        weigh_values<1>(chunk, scores_ + m * kScoreStride, fewest, count,
                        chunk_sums_ + int64_t{m} * head_dim_);
      }
    }
    for (int m = 0; m < kRows; ++m) {
      if (later_piece()) totals_[first + m] = 0;
      fold(state_of(first + m), {maxima + m, totals + m, chunk_sums_ + int64_t{m} * head_dim_}, head_dim_);
    }
  }

  void store_partials(int64_t offset) {
    for (int32_t i = 0; i < pairs_; ++i) {
      float* partial = args_.partials + (task_.partial + offset + i) * partial_stride(head_dim_);
      partial[1] = 0;
      fold({partial, partial + 1, partial + kPartialHeader}, state_of(i), head_dim_);
    }
  }

  void finish() {
    if (task_.partial >= 0) return store_partials(0);
    for (int32_t i = 0; i < pairs_; ++i) {
      store_out(state_of(i), args_.out + row_of(i) * args_.out_stride + column_of(i), head_dim_);
    }
  }

  const AttentionArgs& args_;
  const AttentionTask& task_;
  const AttentionSequence& sequence_;
  const int32_t head_dim_;
  const int32_t heads_;  // query heads of a KV head
  const int32_t pairs_;
  const int32_t tiles_;
  const int32_t first_limit_;  // keys that the task's first row sees
  float* q_;
  float* sums_;        // [pairs, head_dim]
  float* maxima_;      // [pairs]
  float* totals_;      // [pairs]
  float* chunk_sums_;  // [kMaxTileRows, head_dim]
  float* scores_;      // [kMaxTileRows, kScoreStride]
  const T** keys_;
  const T** values_;
};

inline void attend_tasks(const ExecContext& context, const AttentionArgs& args, int64_t begin,
                         int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    switch (args.kv.dtype) {
      case DType::kF16: TaskRun<Float16>(context, args, args.tasks[i]).run(); break;
      case DType::kBF16: TaskRun<BFloat16>(context, args, args.tasks[i]).run(); break;
      default: TaskRun<float>(context, args, args.tasks[i]).run(); break;
    }
  }
}

inline void merge_partials(const ExecContext& context, const AttentionArgs& args, int64_t begin,
                           int64_t end) {
  const int32_t head_dim = args.kv.head_dim;
  const int32_t heads = args.num_heads / args.kv.num_kv_heads;
  for (int64_t i = begin; i < end; ++i) {
    const AttentionMerge& merge = args.merges[i];
    const int32_t pairs = merge.num_rows * heads;
    for (int32_t p = 0; p < pairs; ++p) {
      float maximum = 0;
      float total = 0;
      const Softmax folded{&maximum, &total, reinterpret_cast<float*>(context.scratch)};
      for (int32_t k = 0; k < merge.num_partials; ++k) {
        const int64_t place = merge.first_partial + int64_t{k} * pairs + p;
        float* partial = args.partials + place * partial_stride(head_dim);
        fold(folded, {partial, partial + 1, partial + kPartialHeader}, head_dim);
      }
      const int64_t row = args.sequences[merge.sequence].first_row + merge.first_row + p / heads;
      const int64_t column = (int64_t{merge.kv_head} * heads + p % heads) * head_dim;
      store_out(folded, args.out + row * args.out_stride + column, head_dim);
    }
  }
}

}  // namespace
}  // namespace quire
