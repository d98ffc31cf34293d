#include "weights/gguf_metadata.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "weights/gguf_cursor.h"

namespace quire {
namespace {

using Entry = GgufMetadata::Entry;

template <class T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// The integer of `type` at the start of `bytes`; none for other types and for a u64 that no int64 holds.
std::optional<int64_t> load_integer(GgufType type, std::span<const std::byte> bytes) {
  switch (type) {
    case GgufType::kU8: return load<uint8_t>(bytes);
    case GgufType::kI8: return load<int8_t>(bytes);
    case GgufType::kU16: return load<uint16_t>(bytes);
    case GgufType::kI16: return load<int16_t>(bytes);
    case GgufType::kU32: return load<uint32_t>(bytes);
    case GgufType::kI32: return load<int32_t>(bytes);
    case GgufType::kI64: return load<int64_t>(bytes);
    case GgufType::kU64: {
      const auto value = load<uint64_t>(bytes);
      if (value > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default: return std::nullopt;
  }
}

bool is_integer(GgufType type) {
  return gguf_scalar_bytes(type) != 0 && type != GgufType::kF32 && type != GgufType::kF64 &&
         type != GgufType::kBool;
}

std::string type_name(const Entry& entry) {
  const std::string name = gguf_type_name(static_cast<uint32_t>(entry.element));
  return entry.type == GgufType::kArray ? "array of " + name : name;
}

std::unexpected<Error> wrong_type(const Entry& entry, std::string_view wanted) {
  return fail(ErrorCode::kCorrupt, "key '{}' should be {}, but is of type {}", printable(entry.key), wanted,
              type_name(entry));
}

std::unexpected<Error> missing(std::string_view key) {
  return fail(ErrorCode::kNotFound, "the file has no key '{}'", printable(key));
}

std::string format_scalar(GgufType type, std::span<const std::byte> bytes) {
  if (const auto integer = load_integer(type, bytes)) return fmt::format("{}", *integer);
  if (type == GgufType::kU64) return fmt::format("{}", load<uint64_t>(bytes));
  if (type == GgufType::kF32) return fmt::format("{}", load<float>(bytes));
  if (type == GgufType::kF64) return fmt::format("{}", load<double>(bytes));
  return load<uint8_t>(bytes) != 0 ? "true" : "false";
}

}  // namespace

Expected<GgufMetadata> GgufMetadata::create(std::vector<Entry> entries) {
  GgufMetadata metadata;
  metadata.entries_ = std::move(entries);
  metadata.by_key_.resize(metadata.entries_.size());
  std::iota(metadata.by_key_.begin(), metadata.by_key_.end(), 0);
  const auto key_of = [&](uint32_t index) { return metadata.entries_[index].key; };
  std::ranges::sort(metadata.by_key_, {}, key_of);
  const auto twice = std::ranges::adjacent_find(metadata.by_key_, {}, key_of);
  if (twice != metadata.by_key_.end()) {
    return fail(ErrorCode::kCorrupt, "key '{}' comes twice", printable(key_of(*twice)));
  }
  return metadata;
}

const Entry* GgufMetadata::find(std::string_view key) const {
  const auto key_of = [&](uint32_t index) { return entries_[index].key; };
  const auto found = std::ranges::lower_bound(by_key_, key, {}, key_of);
  return found != by_key_.end() && key_of(*found) == key ? &entries_[*found] : nullptr;
}

Expected<int64_t> GgufMetadata::integer(std::string_view key, int64_t min, int64_t max) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  if (!is_integer(entry->type)) return wrong_type(*entry, "an integer");
  const auto value = load_integer(entry->type, entry->bytes);
  if (value && *value >= min && *value <= max) return *value;
  return fail(ErrorCode::kCorrupt, "key '{}' must be {} to {}, but is {}", printable(key), min, max,
              format_scalar(entry->type, entry->bytes));
}

Expected<double> GgufMetadata::number(std::string_view key, double min, double max) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  double value = NAN;
  if (entry->type == GgufType::kF32) {
    value = load<float>(entry->bytes);
  } else if (entry->type == GgufType::kF64) {
    value = load<double>(entry->bytes);
  } else if (is_integer(entry->type)) {
    const auto integer = load_integer(entry->type, entry->bytes);
    if (integer) value = static_cast<double>(*integer);
  } else {
    return wrong_type(*entry, "a number");
  }
  if (std::isfinite(value) && value >= min && value <= max) return value;
  return fail(ErrorCode::kCorrupt, "key '{}' must be {} to {}, but is {}", printable(key), min, max,
              format_scalar(entry->type, entry->bytes));
}

Expected<bool> GgufMetadata::boolean(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::kBool) return wrong_type(*entry, "a bool");
  return load<uint8_t>(entry->bytes) != 0;
}

Expected<std::string_view> GgufMetadata::string(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::kString) return wrong_type(*entry, "a string");
  return std::string_view(reinterpret_cast<const char*>(entry->bytes.data()), entry->bytes.size());
}

Expected<std::vector<int64_t>> GgufMetadata::integers(std::string_view key, int64_t min,
                                                      int64_t max) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::kArray || !is_integer(entry->element))
    return wrong_type(*entry, "an array of integers");
  const size_t size = gguf_scalar_bytes(entry->element);
  std::vector<int64_t> values;
  values.reserve(entry->count);
  for (uint64_t i = 0; i < entry->count; ++i) {
    const auto value = load_integer(entry->element, entry->bytes.subspan(i * size, size));
    if (!value || *value < min || *value > max) {
      return fail(ErrorCode::kCorrupt, "key '{}' must hold numbers from {} to {}, but element {} is {}",
                  printable(key), min, max, i,
                  format_scalar(entry->element, entry->bytes.subspan(i * size, size)));
    }
    values.push_back(*value);
  }
  return values;
}

Expected<std::vector<std::string>> GgufMetadata::strings(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::kArray || entry->element != GgufType::kString) {
    return wrong_type(*entry, "an array of strings");
  }
  // Lengths are read from the file once more, and checked once more: somebody may write to it meanwhile.
  GgufCursor cursor(entry->bytes);
  std::vector<std::string> values;
  values.reserve(entry->count);
  for (uint64_t i = 0; i < entry->count; ++i) values.emplace_back(cursor.read_string("a string"));
  if (!cursor.ok()) return cursor.error();
  return values;
}

std::string format_value(const Entry& entry) {
  constexpr uint64_t kMost = 8;
  if (entry.type == GgufType::kString) {
    return printable({reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size()});
  }
  if (entry.type != GgufType::kArray) return format_scalar(entry.type, entry.bytes);
  if (entry.element == GgufType::kArray) return fmt::format("[{} arrays]", entry.count);
  GgufCursor cursor(entry.bytes);
  std::string out = "[";
  for (uint64_t i = 0; i < std::min(entry.count, kMost) && cursor.ok(); ++i) {
    if (i > 0) out += ", ";
    const auto bytes = cursor.skip_value(entry.element);
    if (!cursor.ok()) break;
    if (entry.element == GgufType::kString) {
      out += printable({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    } else {
      out += format_scalar(entry.element, bytes);
    }
  }
  if (entry.count > kMost) out += fmt::format(", ... {} in all", entry.count);
  return out + "]";
}

}  // namespace quire
