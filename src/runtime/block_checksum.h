// The checksum of a block in the swap space: XXH3 of 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quire {

uint64_t checksum_of(std::span<const std::byte> bytes);

// Copies, and returns the checksum of what now stands in `target`, which is as long as `source`.
uint64_t copy_with_checksum(std::span<const std::byte> source, std::span<std::byte> target);

}  // namespace quire
