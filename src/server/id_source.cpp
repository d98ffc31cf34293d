#include "server/id_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "base/rng.h"

namespace quire {
namespace {

constexpr size_t kMaxIdBytes = 128;

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

IdSource::IdSource() : seed_(random_seed()) {}

std::string IdSource::next() const {
  const uint64_t number = num_ids_.fetch_add(1, std::memory_order_relaxed);
  return fmt::format("{:016x}{:016x}", random_bits(seed_, 2 * number), random_bits(seed_, 2 * number + 1));
}

bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::ranges::all_of(id, is_plain);
}

}  // namespace quire
