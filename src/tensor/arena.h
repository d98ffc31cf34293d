// One block of zeroed memory from the operating system, 2 MiB aligned and advised to huge pages, so that
// big matrices cost few TLB misses. Pages are taken when they are first touched. Owns its memory; movable;
// not shared.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace quire {

inline constexpr int64_t kCacheLine = 64;

constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class Arena {
 public:
  Arena() = default;
  // bytes >= 0. kResourceExhausted with the size if the address space is refused.
  static Expected<Arena> create(int64_t bytes);
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  std::byte* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  std::byte* mapping_ = nullptr;  // as mapped: data_ lies within, aligned
  int64_t mapping_size_ = 0;
  std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace quire
