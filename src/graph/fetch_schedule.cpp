#include "graph/fetch_schedule.h"

#include <algorithm>

#include "tensor/arena.h"

namespace quire {

FetchSchedule::FetchSchedule(const Graph& graph) : shares_(graph.ops.size()) {
  size_t first = 0;  // after the last attention
  int64_t work = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (op.kind == OpKind::kLinear) {
      const Weight& weight = graph.weights[static_cast<size_t>(op.weight)];
      shares_[i].begin = work;
      work += weight.rows * weight.cols;
      shares_[i].end = work;
    } else if (op.kind == OpKind::kPagedAttention) {
      for (; first < i; ++first) {
        shares_[first].layer = op.layer;
        shares_[first].whole = std::max<int64_t>(1, work);
      }
      work = 0;
    }
  }
}

void FetchSchedule::begin_step(std::span<const AttentionSequence> sequences,
                               std::span<const KvCacheView> layers) {
  layers_ = layers;
  blocks_.clear();
  if (layers.empty()) return;
  // A layer's keys and values of all heads lie side by side in a block.
  const KvCacheView& kv = layers.front();
  const int64_t block_bytes = kv.num_kv_heads * kv.head_stride_bytes;
  block_lines_ = block_bytes / kCacheLine;
  const int64_t most = block_lines_ > 0 ? kMaxBytes / block_bytes : 0;
  blocks_.reserve(static_cast<size_t>(most));
  for (const AttentionSequence& sequence : sequences) {
    if (sequence.num_rows == 0) continue;
    const int64_t count = (int64_t{sequence.context} + kv.block_size - 1) / kv.block_size;
    const int64_t room = most - std::ssize(blocks_);
    blocks_.insert(blocks_.end(), sequence.blocks, sequence.blocks + std::min(count, room));
  }
}

FetchAhead FetchSchedule::part(size_t op, int64_t begin, int64_t end, int64_t items) const {
  const Share& share = shares_[op];
  if (share.layer == kNoId || blocks_.empty()) return {};
  const int64_t lines = std::ssize(blocks_) * block_lines_;
  const int64_t first = lines * share.begin / share.whole;
  const int64_t count = lines * share.end / share.whole - first;
  const KvCacheView& kv = layers_[static_cast<size_t>(share.layer)];
  return {.base = kv.keys,
          .blocks = blocks_.data(),
          .block_stride_bytes = kv.block_stride_bytes,
          .block_lines = block_lines_,
          .begin = first + count * begin / items,
          .end = first + count * end / items};
}

}  // namespace quire
