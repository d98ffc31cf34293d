#include "runtime/block_checksum.h"

#include <xxhash.h>

#include <cstring>

namespace quire {

uint64_t checksum_of(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

uint64_t copy_with_checksum(std::span<const std::byte> source, std::span<std::byte> target) {
  std::memcpy(target.data(), source.data(), source.size());
  return checksum_of(target);
}

}  // namespace quire
