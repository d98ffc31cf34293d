// The keys and values of a GGUF file. Views into the mapped file; valid while it is. Lookups convert with a
// check of range, and say in their errors which key is at fault: kNotFound if it is not there, kCorrupt if
// it is of another type or out of range. Const members may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "weights/gguf_format.h"

namespace quire {

class GgufMetadata {
 public:
  struct Entry {
    std::string_view key;
    GgufType type;
    GgufType element;  // of an array; otherwise as `type`
    uint64_t count;    // of an array; otherwise 1
    std::span<const std::byte>
        bytes;  // a string's text, the values, or an array's strings with their lengths
  };

  // `entries` as a cursor has checked them. A key that comes twice is kCorrupt.
  static Expected<GgufMetadata> create(std::vector<Entry> entries);

  std::span<const Entry> entries() const { return entries_; }  // in the file's order
  const Entry* find(std::string_view key) const;               // null if there is none

  // Of any integer type, min to max.
  Expected<int64_t> integer(std::string_view key, int64_t min, int64_t max) const;
  // Of any floating or integer type, finite, min to max.
  Expected<double> number(std::string_view key, double min, double max) const;
  Expected<bool> boolean(std::string_view key) const;
  Expected<std::string_view> string(std::string_view key) const;
  Expected<std::vector<int64_t>> integers(std::string_view key, int64_t min, int64_t max) const;
  Expected<std::vector<std::string>> strings(std::string_view key) const;

 private:
  std::vector<Entry> entries_;
  std::vector<uint32_t> by_key_;  // indices into entries_, ascending by key
};

// For people: the value, or the first few of an array ("[...]"), fit for a terminal whatever the file
// holds.
std::string format_value(const GgufMetadata::Entry& entry);

// `found`, or `fallback` where the key is not in the file.
template <class T>
Expected<T> value_or(Expected<T> found, T fallback) {
  if (!found && found.error().code == ErrorCode::kNotFound) return fallback;
  return found;
}

}  // namespace quire
