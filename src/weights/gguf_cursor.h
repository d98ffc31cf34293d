// Reads the parts of a GGUF file one after the other, never past the end. The first failure sticks: reads
// after it return zero or nothing, so a caller checks once a record. Owns nothing; one thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "weights/gguf_format.h"

namespace quire {

static_assert(std::endian::native == std::endian::little, "GGUF files are read in place");

class GgufCursor {
 public:
  // `origin` is the offset of `bytes` in the file, for messages.
  explicit GgufCursor(std::span<const std::byte> bytes, uint64_t origin = 0)
      : bytes_(bytes), origin_(origin) {}

  template <class T>
  T read() {
    T value{};
    const auto bytes = take(sizeof(T), "a number");
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  // A length and so many bytes of the file. `what` names it in the error.
  std::string_view read_string(const char* what);

  // The next `count` bytes; empty after a failure.
  std::span<const std::byte> take(uint64_t count, const char* what);

  // Passes over a value and checks it: array nesting, counts, booleans. Returns its bytes, as
  // GgufMetadata::Entry has them for `type`.
  std::span<const std::byte> skip_value(GgufType type, int depth = 0);

  uint64_t offset() const { return origin_ + at_; }
  uint64_t remaining() const { return bytes_.size() - at_; }

  bool ok() const { return !error_; }
  std::unexpected<Error> error() const { return std::unexpected(*error_); }

  template <class... Args>
  void set_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    if (ok()) error_ = fail(code, format, std::forward<Args>(args)...).error();
  }

 private:
  std::span<const std::byte> skip_array(int depth);
  std::span<const std::byte> skip_scalars(GgufType type, uint64_t count);

  std::span<const std::byte> bytes_;
  uint64_t origin_;
  uint64_t at_ = 0;
  std::optional<Error> error_;
};

}  // namespace quire
