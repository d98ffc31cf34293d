#include "runtime/swap_space.h"

#include <algorithm>
#include <utility>

#include "runtime/disk_swap_space.h"
#include "runtime/memory_swap_space.h"

namespace quire {
namespace {

constexpr int64_t kStagingBytes = int64_t{64} << 20;  // so much is under way to or from a disk at most

int64_t num_staged(int64_t block_bytes) { return std::clamp<int64_t>(kStagingBytes / block_bytes, 4, 256); }

}  // namespace

int64_t swap_staging_bytes(int64_t block_bytes) { return num_staged(block_bytes) * block_bytes; }

Expected<std::unique_ptr<SwapSpace>> create_swap_space(const SwapSpaceOptions& options, CacheEngine& cache,
                                                       ThreadPool& pool, const Clock& clock) {
  const int64_t block_bytes = cache.shape().bytes_per_block();
  if (options.dir.empty()) {
    auto arena = Arena::create(block_bytes * options.num_slots);
    if (!arena) return std::unexpected(arena.error());
    return std::make_unique<MemorySwapSpace>(options.num_slots, std::move(*arena), cache, pool, clock);
  }
  auto staging = Arena::create(swap_staging_bytes(block_bytes));
  if (!staging) return std::unexpected(staging.error());
  auto file = create_block_file(options.dir, static_cast<int32_t>(num_staged(block_bytes)), options.access);
  if (!file) return std::unexpected(file.error());
  return std::make_unique<DiskSwapSpace>(options.num_slots, std::move(*file), std::move(*staging), cache,
                                         pool, clock);
}

}  // namespace quire
