// Sequences in a paged cache, as a test needs them: keys, values and queries are pure functions of
// (sequence seed, position), unwritten memory is NaN, scratch and partials have exactly the size that
// attention_plan.h promises.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "kernels/attention_plan.h"
#include "kernels/kernel_table.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

namespace quire {

struct PagedShape {
  AttentionShape heads;
  int32_t block_size = 16;
  KvDType dtype = KvDType::kF32;
};

inline std::string describe(const PagedShape& shape) {
  return std::to_string(shape.heads.num_heads) + "/" + std::to_string(shape.heads.num_kv_heads) +
         " heads of " + std::to_string(shape.heads.head_dim) + ", blocks of " +
         std::to_string(shape.block_size) + ", " + std::string(to_string(shape.dtype));
}

// What of a sequence an element belongs to.
enum class Stream : uint64_t { kQuery, kKey, kValue };

inline float element(uint64_t seed, Stream stream, int64_t position, int64_t index) {
  const uint64_t counter = (static_cast<uint64_t>(position) << 20) + static_cast<uint64_t>(index);
  const double uniform = random_uniform(seed * 3 + static_cast<uint64_t>(stream), counter);
  return static_cast<float>((uniform - 0.5) * 4);
}

// A head's key or value as the cache holds it.
inline std::vector<double> rounded(KvDType dtype, const std::vector<float>& head) {
  float largest = 0;
  for (const float x : head) largest = std::max(largest, std::abs(x));
  std::vector<double> out;
  for (const float x : head) {
    switch (dtype) {
      case KvDType::kF32: out.push_back(double{x}); break;
      case KvDType::kF16: out.push_back(double{fp16_to_float(float_to_fp16(x))}); break;
      case KvDType::kBF16: out.push_back(double{bf16_to_float(float_to_bf16(x))}); break;
      case KvDType::kInt8: {
        const float quant = std::nearbyint(x * (127.0F / largest));
        out.push_back(double{quant} * double{largest / 127.0F});
      }
    }
  }
  return out;
}

class PagedStep {
 public:
  struct Work {
    int sequence;
    int rows;  // the last so many of its tokens
  };

  PagedStep(const KernelTable& table, const PagedShape& shape, int num_blocks)
      : table_(table), shape_(shape), free_blocks_(static_cast<size_t>(num_blocks)) {
    head_bytes_ = kv_head_bytes(shape.dtype, shape.block_size, shape.heads.head_dim);
    block_bytes_ = head_bytes_ * shape.heads.num_kv_heads;
    keys_.assign(static_cast<size_t>(block_bytes_ * num_blocks), std::byte{0xff});  // NaN in every dtype
    values_ = keys_;
    for (int i = 0; i < num_blocks; ++i) free_blocks_[static_cast<size_t>(i)] = i;
    Rng rng(num_blocks);
    for (size_t i = free_blocks_.size(); i > 1; --i)
      std::swap(free_blocks_[i - 1], free_blocks_[rng.below(i)]);
  }

  int add_sequence(uint64_t seed) {
    sequences_.push_back({seed, 0, {}});
    return static_cast<int>(sequences_.size()) - 1;
  }

  // Writes the keys and values of the next `count` tokens.
  void append(int sequence, int count) {
    State& state = sequences_[static_cast<size_t>(sequence)];
    const int64_t width = int64_t{shape_.heads.num_kv_heads} * shape_.heads.head_dim;
    std::vector<float> k(static_cast<size_t>(count * width));
    std::vector<float> v(k.size());
    std::vector<int64_t> slots;
    for (int t = 0; t < count; ++t) {
      const int position = state.context + t;
      if (position % shape_.block_size == 0) {
        state.blocks.push_back(free_blocks_.back());
        free_blocks_.pop_back();
      }
      slots.push_back(int64_t{state.blocks.back()} * shape_.block_size + position % shape_.block_size);
      for (int64_t i = 0; i < width; ++i) {
        k[static_cast<size_t>(t * width + i)] = element(state.seed, Stream::kKey, position, i);
        v[static_cast<size_t>(t * width + i)] = element(state.seed, Stream::kValue, position, i);
      }
    }
    write(k.data(), v.data(), slots);
    state.context += count;
  }

  // Overwrites the value of one token.
  void poison_value(int sequence, int position, float value) {
    const State& state = sequences_[static_cast<size_t>(sequence)];
    const int64_t width = int64_t{shape_.heads.num_kv_heads} * shape_.heads.head_dim;
    std::vector<float> k(static_cast<size_t>(width));
    for (int64_t i = 0; i < width; ++i)
      k[static_cast<size_t>(i)] = element(state.seed, Stream::kKey, position, i);
    const std::vector<float> v(static_cast<size_t>(width), value);
    const int64_t block = state.blocks[static_cast<size_t>(position / shape_.block_size)];
    write(k.data(), v.data(), {block * shape_.block_size + position % shape_.block_size});
  }

  // Attention of one step on `num_threads` threads: rows of [num_heads * head_dim], work after work.
  std::vector<float> attend(const std::vector<Work>& work, int num_threads) {
    const int64_t width = int64_t{shape_.heads.num_heads} * shape_.heads.head_dim;
    std::vector<AttentionSequence> sequences;
    std::vector<float> q;
    int64_t row = 0;
    for (const Work& item : work) {
      const State& state = sequences_[static_cast<size_t>(item.sequence)];
      sequences.push_back({row, item.rows, state.context, state.blocks.data()});
      row += item.rows;
      for (int position = state.context - item.rows; position < state.context; ++position) {
        for (int64_t i = 0; i < width; ++i) q.push_back(element(state.seed, Stream::kQuery, position, i));
      }
    }
    std::vector<float> out(q.size(), std::numeric_limits<float>::quiet_NaN());
    plan_attention(shape_.heads, sequences, num_threads, plan_);
    const auto partial_bytes = static_cast<size_t>(attention_partial_bytes(shape_.heads, num_threads));
    const auto partials = std::make_unique<float[]>(partial_bytes / sizeof(float));
    std::fill_n(partials.get(), partial_bytes / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    const AttentionArgs args{q.data(),
                             width,
                             out.data(),
                             width,
                             sequences.data(),
                             plan_.tasks.data(),
                             std::ssize(plan_.tasks),
                             plan_.merges.data(),
                             partials.get(),
                             shape_.heads.num_heads,
                             scale(),
                             view()};
    ThreadPool pool(num_threads);
    std::vector<Scratch> scratch;
    for (int i = 0; i < num_threads; ++i) scratch.push_back(make_scratch());
    const auto context = [&](int thread) {
      return ExecContext{thread, scratch[static_cast<size_t>(thread)].get(),
                         attention_scratch_bytes(shape_.heads)};
    };
    pool.share(std::ssize(plan_.tasks), 1, [&](int thread, int64_t begin, int64_t end) {
      table_.attention(context(thread), args, begin, end);
    });
    pool.share(std::ssize(plan_.merges), 1, [&](int thread, int64_t begin, int64_t end) {
      table_.attention_merge(context(thread), args, begin, end);
    });
    return out;
  }

  // The same in double precision, from the rounded keys and values.
  std::vector<double> reference(const std::vector<Work>& work) const {
    const int heads = shape_.heads.num_heads;
    const int head_dim = shape_.heads.head_dim;
    const int group = heads / shape_.heads.num_kv_heads;
    std::vector<double> out;
    for (const Work& item : work) {
      const State& state = sequences_[static_cast<size_t>(item.sequence)];
      const size_t first = out.size();
      out.resize(first + static_cast<size_t>(item.rows * heads * head_dim));
      for (int kv_head = 0; kv_head < shape_.heads.num_kv_heads; ++kv_head) {
        const auto keys = cached(Stream::kKey, state.seed, kv_head, state.context);
        const auto values = cached(Stream::kValue, state.seed, kv_head, state.context);
        for (int i = 0; i < item.rows * group; ++i) {
          const int row = i / group;
          const int head = kv_head * group + i % group;
          reference_head(state.seed, state.context - item.rows + row, head, keys, values,
                         out.data() + first + static_cast<size_t>((row * heads + head) * head_dim));
        }
      }
    }
    return out;
  }

  const AttentionPlan& last_plan() const { return plan_; }
  float scale() const { return 1.0F / std::sqrt(static_cast<float>(shape_.heads.head_dim)); }

 private:
  struct State {
    uint64_t seed;
    int context;
    std::vector<int32_t> blocks;
  };
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  using Scratch = std::unique_ptr<std::byte[], Free>;

  Scratch make_scratch() const {
    const auto bytes = static_cast<size_t>(attention_scratch_bytes(shape_.heads));
    Scratch scratch(new (std::align_val_t{64}) std::byte[bytes]);
    std::memset(scratch.get(), 0xff, bytes);
    return scratch;
  }

  KvCacheView view() {
    return {keys_.data(),          values_.data(),    block_bytes_,
            head_bytes_,           shape_.block_size, shape_.heads.num_kv_heads,
            shape_.heads.head_dim, shape_.dtype};
  }

  void write(const float* k, const float* v, const std::vector<int64_t>& slots) {
    RopeKvArgs args{};
    args.k = const_cast<float*>(k);
    args.v = v;
    args.stride = int64_t{shape_.heads.num_kv_heads} * shape_.heads.head_dim;
    args.slots = slots.data();
    args.num_tokens = std::ssize(slots);
    args.kv = view();
    const Scratch scratch = make_scratch();
    table_.kv_write({0, scratch.get(), attention_scratch_bytes(shape_.heads)}, args, 0, args.num_tokens);
  }

  // Keys or values of one KV head up to `count`, as the cache holds them: [count, head_dim].
  std::vector<double> cached(Stream stream, uint64_t seed, int kv_head, int count) const {
    const int head_dim = shape_.heads.head_dim;
    std::vector<double> all;
    for (int position = 0; position < count; ++position) {
      std::vector<float> head;
      for (int d = 0; d < head_dim; ++d) {
        head.push_back(element(seed, stream, position, int64_t{kv_head} * head_dim + d));
      }
      const auto held = rounded(shape_.dtype, head);
      all.insert(all.end(), held.begin(), held.end());
    }
    return all;
  }

  // Writes head_dim outputs.
  void reference_head(uint64_t seed, int position, int head, const std::vector<double>& keys,
                      const std::vector<double>& values, double* out) const {
    const auto head_dim = static_cast<size_t>(shape_.heads.head_dim);
    std::vector<double> q(head_dim);
    for (size_t d = 0; d < head_dim; ++d) {
      q[d] = element(seed, Stream::kQuery, position,
                     static_cast<int64_t>(static_cast<size_t>(head) * head_dim + d));
    }
    std::vector<double> scores;
    for (size_t key = 0; key <= static_cast<size_t>(position); ++key) {
      double score = 0;
      for (size_t d = 0; d < head_dim; ++d) score += q[d] * keys[key * head_dim + d];
      scores.push_back(score * double{scale()});
    }
    const double maximum = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (double& score : scores) total += score = std::exp(score - maximum);
    std::fill_n(out, head_dim, 0.0);
    for (size_t key = 0; key < scores.size(); ++key) {
      for (size_t d = 0; d < head_dim; ++d) out[d] += scores[key] / total * values[key * head_dim + d];
    }
  }

  const KernelTable& table_;
  const PagedShape shape_;
  std::vector<int32_t> free_blocks_;
  int64_t head_bytes_ = 0;
  int64_t block_bytes_ = 0;
  std::vector<std::byte> keys_;
  std::vector<std::byte> values_;
  std::vector<State> sequences_;
  AttentionPlan plan_;
};

}  // namespace quire
