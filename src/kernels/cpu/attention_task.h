// Attention tasks and merges for any vector width, on the tiles of attention_tile.h. Internal linkage.
#pragma once

#include "kernels/cpu/attention_int8.h"
#include "kernels/cpu/attention_tile.h"

namespace quire {
namespace {

template <bool kFirst, class A, class B>
struct SelectType {
  using Type = A;
};
template <class A, class B>
struct SelectType<false, A, B> {
  using Type = B;
};
template <bool kFirst, class A, class B>
using Select = typename SelectType<kFirst, A, B>::Type;

constexpr int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

// Softmax over some keys: maximum of the scores in units of log2, sum of weights, sums of weight * value.
// A total of 0 says: no keys.
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
  // `next`, if any, is what this thread probably does next.
  TaskRun(const ExecContext& context, const AttentionArgs& args, const AttentionTask& task,
          const AttentionTask* next)
      : args_(args),
        task_(task),
        next_(next),
        sequence_(args.sequences[task.sequence]),
        head_dim_(args.kv.head_dim),
        heads_(args.num_heads / args.kv.num_kv_heads),
        pairs_(task.num_rows * heads_),
        tiles_((pairs_ + kMaxTileRows - 1) / kMaxTileRows),
        first_limit_(sequence_.context - sequence_.num_rows + task.first_row + 1) {
    const AttentionScratch at = attention_scratch(pairs_, head_dim_);
    float* scratch = reinterpret_cast<float*>(context.scratch);
    q_ = reinterpret_cast<Query*>(scratch + at.q);
    q_scales_ = scratch + at.q_scales;
    sums_ = scratch + at.sums;
    maxima_ = scratch + at.maxima;
    totals_ = scratch + at.totals;
    chunk_sums_ = scratch + at.chunk_sums;
    scores_ = scratch + at.scores;
    weights_ = reinterpret_cast<int32_t*>(scratch + at.weights);
    keys_ = reinterpret_cast<const T**>(scratch + at.keys);
    values_ = reinterpret_cast<const T**>(scratch + at.values);
    key_scales_ = reinterpret_cast<const float**>(scratch + at.key_scales);
    value_scales_ = reinterpret_cast<const float**>(scratch + at.value_scales);
    next_keys_ = reinterpret_cast<const T**>(scratch + at.next_keys);
    ahead_ = reinterpret_cast<const T**>(scratch + at.ahead);
    unpacked_keys_ = scratch + at.unpacked_keys;
    unpacked_values_ = scratch + at.unpacked_values;
  }

  void run() {
    pack_queries();
    for (int32_t i = 0; i < pairs_; ++i) totals_[i] = 0;
    for (int32_t i = 0; i < task_.num_chunks; ++i) {
      const int32_t begin = (task_.first_chunk + i) * kAttentionChunk;
      const ChunkView<T> chunk = map_chunk(begin, i + 1 < task_.num_chunks);
      attend_chunk(chunk, begin);
      if (later_piece()) store_partials(int64_t{i} * pairs_);
    }
    if (!later_piece()) finish();
  }

 private:
  static constexpr bool kIntegers = sizeof(T) == 1;
  using Query = Select<kIntegers, int32_t, float>;

  // Of a context that is cut: its chunks are not folded here but leave a partial each.
  bool later_piece() const { return task_.first_chunk > 0; }
  int32_t tile_begin(int32_t tile) const { return static_cast<int32_t>(int64_t{pairs_} * tile / tiles_); }
  // Keys of the chunk at `begin` that the pair attends to.
  int32_t keys_in_chunk(int32_t pair, int32_t begin) const {
    const int32_t count = least(first_limit_ + pair / heads_ - begin, kAttentionChunk);
    return count > 0 ? count : 0;
  }
  // Vectors of keys of the chunk at `begin` that the last row attends to.
  int32_t vectors_in_chunk(int32_t begin) const {
    return (keys_in_chunk(pairs_ - 1, begin) + Simd::kLanes - 1) / Simd::kLanes;
  }
  int64_t row_of(int32_t pair) const { return sequence_.first_row + task_.first_row + pair / heads_; }
  int64_t column_of(int32_t pair) const {
    return (int64_t{task_.kv_head} * heads_ + pair % heads_) * head_dim_;
  }
  Softmax state_of(int32_t pair) const {
    return {maxima_ + pair, totals_ + pair, sums_ + int64_t{pair} * head_dim_};
  }
  // Of a tile's queries in q_.
  int64_t query_offset(int32_t first_pair) const {
    return int64_t{first_pair} * (kIntegers ? head_dim_ / 2 : head_dim_);
  }

  // q_: tile by tile, [head_dim][pairs of the tile], scaled so that weights are powers of 2; of integers
  // [head_dim / 2][pairs], and the scale apart.
  void pack_queries() {
    constexpr float kLog2E = 1.44269504F;
    const float scale = args_.scale * kLog2E;
    for (int32_t tile = 0; tile < tiles_; ++tile) {
      const int32_t begin = tile_begin(tile);
      const int32_t height = tile_begin(tile + 1) - begin;
      for (int32_t m = 0; m < height; ++m) {
        const float* from = args_.q + row_of(begin + m) * args_.q_stride + column_of(begin + m);
        Query* to = q_ + query_offset(begin) + m;
        if constexpr (kIntegers) {
          const float unit = quantize_query(from, head_dim_, max_query_quant(head_dim_), to, height);
          q_scales_[begin + m] = unit * scale;
        } else {
          for (int32_t d = 0; d < head_dim_; ++d) to[d * height] = from[d] * scale;
        }
      }
    }
  }

  // Finds the chunk's keys and values through the block table, as far as the task's last row sees; the
  // last pointer fills places without a token. Of the next chunk, only what is to be fetched.
  ChunkView<T> map_chunk(int32_t begin, bool has_next) {
    const KvCacheView& kv = args_.kv;
    constexpr int32_t kLanes = Simd::kLanes;
    const int32_t vectors = vectors_in_chunk(begin);
    const int32_t shift = __builtin_ctz(static_cast<uint32_t>(kv.block_size));
    const int32_t mask = kv.block_size - 1;
    for (int32_t vector = 0; vector < vectors; ++vector) {
      const int32_t position = begin + vector * kLanes;
      const int32_t block = sequence_.blocks[position >> shift];
      const int32_t offset = position & mask;
      std::byte* keys = keys_of_block(kv, block, task_.kv_head);
      std::byte* values = values_of_block(kv, block, task_.kv_head);
      if constexpr (kIntegers) {
        keys_[vector] = reinterpret_cast<const T*>(keys) + key_offset_int8(kv, offset);
        values_[vector] = reinterpret_cast<const T*>(values) + value_offset_int8(kv, offset);
        key_scales_[vector] = scales_of_block(kv, keys) + offset;
        value_scales_[vector] = scales_of_block(kv, values) + offset;
      } else {
        keys_[vector] = reinterpret_cast<const T*>(keys) + key_offset(kv, offset);
        values_[vector] = reinterpret_cast<const T*>(values) + value_offset(kv, offset);
      }
    }
    for (int32_t vector = vectors; vector < vectors + 7; ++vector) {
      keys_[vector] = keys_[vectors - 1];
      values_[vector] = values_[vectors - 1];
    }
    const bool fetched = !kIntegers && task_.next_group >= 0 && task_.fetched;
    if (!kIntegers && task_.next_group >= 0) {
      map_group(vectors);
    } else {
      map_next(begin + kAttentionChunk, vectors, has_next);
    }
    const int32_t lanes = key_lanes(kv.block_size);
    const int64_t key_stride = kIntegers ? 2 * lanes : lanes;
    return {keys_,      values_,     fetched ? ahead_ : values_,
            next_keys_, key_scales_, value_scales_,
            key_stride, head_dim_,   kPanel,
            head_dim_};
  }

  // What to fetch after the chunk before `begin`: the keys of this task's next chunk, or of the next
  // task's first. A vector's share is of the keys in the order in which they lie, which are those of its
  // tokens and their neighbours.
  void map_next(int32_t begin, int32_t vectors, bool has_next) {
    const KvCacheView& kv = args_.kv;
    const int32_t shift = __builtin_ctz(static_cast<uint32_t>(kv.block_size));
    const int32_t mask = kv.block_size - 1;
    const AttentionTask& task = has_next || next_ == nullptr ? task_ : *next_;
    const AttentionSequence& sequence = args_.sequences[task.sequence];
    const int32_t limit = sequence.context - sequence.num_rows + task.first_row + task.num_rows;
    if (!has_next && next_ != nullptr) {
      begin = task.first_chunk * kAttentionChunk;
      has_next = true;
    }
    const int32_t end = vectors < kFirstVectors ? kFirstVectors : vectors;
    for (int32_t vector = 0; vector < end; ++vector) {
      const int32_t position = begin + vector * Simd::kLanes;
      if (!has_next || position >= limit) {
        next_keys_[vector] = values_[least(vector, vectors - 1)];
        continue;
      }
      const int32_t block = sequence.blocks[position >> shift];
      std::byte* keys = keys_of_block(kv, block, task.kv_head);
      next_keys_[vector] = reinterpret_cast<const T*>(keys) + int64_t{position & mask} * head_dim_;
      if constexpr (kIntegers) {
        __builtin_prefetch(scales_of_block(kv, keys) + (position & mask), 0, 2);
        std::byte* values = values_of_block(kv, block, task.kv_head);
        __builtin_prefetch(scales_of_block(kv, values) + (position & mask), 0, 2);
      }
    }
  }

  // What to fetch of the next group: this task's part of its heads' keys and values, block by block. A group
  // that nobody has fetched fetches its values itself while it scores keys, and less of the next.
  void map_group(int32_t vectors) {
    const KvCacheView& kv = args_.kv;
    const AttentionTask& next = args_.tasks[task_.next_group];
    const AttentionSequence& sequence = args_.sequences[next.sequence];
    const int32_t begin = next.first_chunk * kAttentionChunk;
    const int32_t limit = sequence.context - sequence.num_rows + next.first_row + next.num_rows;
    const int32_t keys = least(limit - begin, kAttentionChunk);
    const int64_t vector_bytes = int64_t{Simd::kLanes} * head_dim_ * static_cast<int64_t>(sizeof(T));
    const int64_t in_block = next.parts * kv.head_stride_bytes / vector_bytes;
    const int64_t total = (keys + kv.block_size - 1) / kv.block_size * in_block;
    int64_t at = total * task_.part / task_.parts;
    const int64_t end = total * (task_.part + 1) / task_.parts;
    const int32_t* blocks = sequence.blocks + begin / kv.block_size;
    const auto take = [&](const T*& slot) {
      if (at >= end) return;
      slot = reinterpret_cast<const T*>(keys_of_block(kv, blocks[at / in_block], next.kv_head) +
                                        at % in_block * vector_bytes);
      ++at;
    };
    const int32_t most = vectors < kFirstVectors ? kFirstVectors : vectors;
    for (int32_t v = 0; v < most; ++v) next_keys_[v] = values_[least(v, vectors - 1)];
    if (task_.fetched) {
      for (int32_t v = 0; v < vectors + 7; ++v) ahead_[v] = values_[v];
      for (int32_t v = 0; v < vectors; ++v) take(ahead_[v]);
    }
    for (int32_t v = 0; v < vectors; ++v) take(next_keys_[v]);
  }

  // The chunk in fp32, so that many tiles do not convert it each.
  ChunkView<Unpacked> unpack(const ChunkView<T>& chunk, int32_t begin) {
    constexpr int32_t kLanes = Simd::kLanes;
    constexpr int64_t kPanelStride = int64_t{kAttentionChunk} * kPanel;
    const int32_t vectors = vectors_in_chunk(begin);
    unpack_chunk(chunk, vectors, unpacked_keys_, unpacked_values_, kPanelStride);
    const auto** keys = reinterpret_cast<const Unpacked**>(keys_);
    const auto** values = reinterpret_cast<const Unpacked**>(values_);
    for (int32_t v = 0; v < vectors + 7; ++v) {
      const int32_t from = least(v, vectors - 1);
      keys[v] = reinterpret_cast<const Unpacked*>(unpacked_keys_) + int64_t{from} * kLanes * head_dim_;
      values[v] = reinterpret_cast<const Unpacked*>(unpacked_values_) + from * kLanes * kPanel;
    }
    return {keys, values, values, values, nullptr, nullptr, kLanes, kPanel, kPanelStride, head_dim_};
  }

  void attend_chunk(const ChunkView<T>& chunk, int32_t begin) {
    if constexpr (!kIntegers) {
      if (pairs_ >= kUnpackPairs) return attend_tiles(unpack(chunk, begin), begin);
    }
    attend_tiles(chunk, begin);
  }

  template <class Chunk>
  void attend_tiles(const Chunk& chunk, int32_t begin) {
    for (int32_t tile = 0; tile < tiles_; ++tile) {
      switch (tile_begin(tile + 1) - tile_begin(tile)) {
        case 1: attend<1>(chunk, tile, begin); break;
        case 2: attend<2>(chunk, tile, begin); break;
        case 3: attend<3>(chunk, tile, begin); break;
        case 4: attend<4>(chunk, tile, begin); break;
        case 5: attend<5>(chunk, tile, begin); break;
        default: attend<6>(chunk, tile, begin); break;
      }
    }
  }

  // Scores, weights and weighted values of one tile and chunk.
  template <int kRows, class Chunk>
  void attend(const Chunk& chunk, int32_t tile, int32_t begin) {
    const int32_t first = tile_begin(tile);
    const int32_t most = keys_in_chunk(first + kRows - 1, begin);
    float maxima[kRows] = {};
    float totals[kRows] = {};
    if (most > 0) weigh<kRows>(chunk, first, begin, most, maxima, totals);
    for (int m = 0; m < kRows; ++m) {
      if (later_piece()) totals_[first + m] = 0;
      fold(state_of(first + m), {maxima + m, totals + m, chunk_sums_ + int64_t{m} * head_dim_}, head_dim_);
    }
  }

  // chunk_sums_ of the tile's pairs, of which the last attends to `most` keys.
  template <int kRows, class Chunk>
  void weigh(const Chunk& chunk, int32_t first, int32_t begin, int32_t most, float* maxima, float* totals) {
    score_chunk<kRows>(chunk, q_ + query_offset(first), (most + Simd::kLanes - 1) / Simd::kLanes, scores_);
    int32_t fewest = most;  // keys that all rows with any keys have
    for (int m = kRows - 1; m >= 0; --m) {
      const int32_t count = keys_in_chunk(first + m, begin);
      if (count == 0) break;
      fewest = count;
      softmax_row(chunk, m, scores_ + m * kScoreStride, count, maxima[m], totals[m]);
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

  // Of integers, a key that a row does not see has weight 0.
  template <int kRows>
  void weigh(const ChunkView<Int8>& chunk, int32_t first, int32_t begin, int32_t most, float* maxima,
             float* totals) {
    const int32_t vectors = (most + Simd::kLanes - 1) / Simd::kLanes;
    score_chunk<kRows>(chunk, q_ + query_offset(first), vectors, scores_);
    float units[kRows] = {};
    for (int m = 0; m < kRows; ++m) {
      const int32_t count = keys_in_chunk(first + m, begin);
      auto* weights = reinterpret_cast<int16_t*>(weights_ + m * (kScoreStride / 2));
      if (count == 0) {
        for (int32_t v = 0; v < vectors; ++v) Simd::store_int16(weights + v * Simd::kLanes, Simd::zero());
        continue;
      }
      units[m] = softmax_row(chunk, q_scales_[first + m], scores_ + m * kScoreStride, count, vectors,
                             weights, maxima[m], totals[m]);
    }
    value_rows<kRows, Simd::vectors(kRows)>(chunk, weights_, units, (most + 1) / 2, 0, chunk_sums_);
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
  const AttentionTask* const next_;
  const AttentionSequence& sequence_;
  const int32_t head_dim_;
  const int32_t heads_;  // query heads of a KV head
  const int32_t pairs_;
  const int32_t tiles_;
  const int32_t first_limit_;  // keys that the task's first row sees
  Query* q_;
  float* q_scales_;    // [pairs]; of integers
  float* sums_;        // [pairs, head_dim]
  float* maxima_;      // [pairs]
  float* totals_;      // [pairs]
  float* chunk_sums_;  // [kMaxTileRows, head_dim]
  float* scores_;      // [kMaxTileRows, kScoreStride]
  int32_t* weights_;   // [kMaxTileRows, kScoreStride / 2] pairs; of integers
  const T** keys_;
  const T** values_;
  const float** key_scales_;
  const float** value_scales_;
  const T** next_keys_;
  const T** ahead_;
  float* unpacked_keys_;
  float* unpacked_values_;
};

inline void attend_tasks(const ExecContext& context, const AttentionArgs& args, int64_t begin,
                         int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const AttentionTask& task = args.tasks[i];
    const AttentionTask* next = i + 1 < args.num_tasks ? &task + 1 : nullptr;
    switch (args.kv.dtype) {
      case KvDType::kF32: TaskRun<float>(context, args, task, next).run(); break;
      case KvDType::kF16: TaskRun<Float16>(context, args, task, next).run(); break;
      case KvDType::kBF16: TaskRun<BFloat16>(context, args, task, next).run(); break;
      case KvDType::kInt8: TaskRun<Int8>(context, args, task, next).run(); break;
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
