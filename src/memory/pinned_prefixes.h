// The blocks of prefixes that stay whoever comes and goes, under the id of the request that computed them. A
// block that several prefixes have in common counts once. Who holds it is KvCacheManager's matter. One
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/types.h"

namespace quire {

class PinnedPrefixes {
 public:
  explicit PinnedPrefixes(int32_t num_blocks) : num_pins_(static_cast<size_t>(num_blocks)) {}

  // A prefix of an id that has none.
  void add(RequestId id, std::span<const BlockId> blocks);

  // Forgets the prefix, which is there; its blocks, first one first.
  std::vector<BlockId> take(RequestId id);

  int32_t num_blocks() const { return num_blocks_; }
  const std::unordered_map<RequestId, std::vector<BlockId>>& prefixes() const { return by_id_; }

 private:
  std::unordered_map<RequestId, std::vector<BlockId>> by_id_;
  std::vector<int32_t> num_pins_;  // by block
  int32_t num_blocks_ = 0;         // with a pin
};

}  // namespace quire
