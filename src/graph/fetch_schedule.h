// What a step's linears fetch into the caches while they compute. With enough tokens a linear is bound by
// arithmetic and leaves the memory idle, which the attention after it then waits for; so each linear before
// an attention fetches a share of that layer's keys and values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "kernels/kernel_args.h"

namespace quire {

class FetchSchedule {
 public:
  // Of one layer's keys and values, at most this is fetched: what fits a part of a shared cache.
  static constexpr int64_t kMaxBytes = 8 << 20;

  explicit FetchSchedule(const Graph& graph);

  // The blocks that the step's sequences read, up to kMaxBytes. `layers` and the block tables outlive the
  // step. Allocates in the first step only.
  void begin_step(std::span<const AttentionSequence> sequences, std::span<const KvCacheView> layers);

  // What operation `op` fetches while it does items [begin, end) of `items`; of the whole operation, parts
  // in order meet without overlap. Nothing for operations that no attention follows.
  FetchAhead part(size_t op, int64_t begin, int64_t end, int64_t items) const;

 private:
  // Of the work from an attention to the next, which is that of `layer`: [begin, end) of `whole`.
  struct Share {
    int32_t layer = kNoId;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t whole = 1;
  };

  std::vector<Share> shares_;  // by operation
  std::span<const KvCacheView> layers_;
  std::vector<int32_t> blocks_;
  int64_t block_lines_ = 1;
};

}  // namespace quire
