#include "tensor/arena.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/byte_size.h"
#include "base/check.h"

namespace quire {
namespace {

constexpr int64_t kHugePage = 2 << 20;

}  // namespace

Expected<Arena> Arena::create(int64_t bytes) {
  CHECK(bytes >= 0);
  Arena arena;
  if (bytes == 0) return arena;
  const int64_t mapping_size = round_up(bytes, kHugePage) + kHugePage;
  void* mapping = mmap(nullptr, static_cast<size_t>(mapping_size), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    return fail(ErrorCode::kResourceExhausted, "cannot reserve {} of memory: {}", format_byte_size(bytes),
                std::strerror(errno));
  }
  arena.mapping_ = static_cast<std::byte*>(mapping);
  arena.mapping_size_ = mapping_size;
  const auto address = reinterpret_cast<uintptr_t>(mapping);
  arena.data_ = arena.mapping_ + (round_up(static_cast<int64_t>(address % kHugePage), kHugePage) -
                                  static_cast<int64_t>(address % kHugePage));
  arena.size_ = bytes;
  // Only advice: without huge pages everything still works, a little slower.
  if (bytes >= kHugePage) madvise(arena.data_, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  return arena;
}

Arena::~Arena() {
  if (mapping_ != nullptr) munmap(mapping_, static_cast<size_t>(mapping_size_));
}

Arena::Arena(Arena&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_size_(std::exchange(other.mapping_size_, 0)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapping_size_, other.mapping_size_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace quire
