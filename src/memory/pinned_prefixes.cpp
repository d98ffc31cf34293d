#include "memory/pinned_prefixes.h"

#include <utility>

#include "base/check.h"

namespace quire {

void PinnedPrefixes::add(RequestId id, std::span<const BlockId> blocks) {
  const bool added = by_id_.try_emplace(id, blocks.begin(), blocks.end()).second;
  CHECK(added, "prefix {} is pinned already", id);
  for (const BlockId block : blocks) num_blocks_ += num_pins_[static_cast<size_t>(block)]++ == 0 ? 1 : 0;
}

std::vector<BlockId> PinnedPrefixes::take(RequestId id) {
  auto taken = by_id_.extract(id);
  CHECK(!taken.empty(), "prefix {} is not pinned", id);
  for (const BlockId block : taken.mapped())
    num_blocks_ -= --num_pins_[static_cast<size_t>(block)] == 0 ? 1 : 0;
  return std::move(taken.mapped());
}

}  // namespace quire
