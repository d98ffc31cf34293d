#include "weights/gguf_cursor.h"

#include <algorithm>

namespace quire {

std::span<const std::byte> GgufCursor::take(uint64_t count, const char* what) {
  if (!ok()) return {};
  if (count > remaining()) {
    set_error(ErrorCode::kCorrupt, "at byte {}: {} needs {} bytes, but the file has only {} more", offset(),
              what, count, remaining());
    return {};
  }
  const auto taken = bytes_.subspan(at_, count);
  at_ += count;
  return taken;
}

std::string_view GgufCursor::read_string(const char* what) {
  const uint64_t length = read<uint64_t>();
  const auto bytes = take(length, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> GgufCursor::skip_value(GgufType type, int depth) {
  if (type == GgufType::kArray) return skip_array(depth);
  if (type == GgufType::kString) {
    const std::string_view text = read_string("a string");
    return std::as_bytes(std::span(text));
  }
  return skip_scalars(type, 1);
}

std::span<const std::byte> GgufCursor::skip_scalars(GgufType type, uint64_t count) {
  const uint64_t size = gguf_scalar_bytes(type);
  if (size == 0) {
    set_error(ErrorCode::kCorrupt, "at byte {}: unknown value {}", offset(),
              gguf_type_name(static_cast<uint32_t>(type)));
    return {};
  }
  if (count > remaining() / size) {
    set_error(ErrorCode::kCorrupt, "at byte {}: {} values of type {} run past the end of the file",
              offset(), count, gguf_type_name(static_cast<uint32_t>(type)));
    return {};
  }
  const auto bytes = take(count * size, "a value");
  if (type == GgufType::kBool && std::ranges::any_of(bytes, [](std::byte b) { return b > std::byte{1}; })) {
    set_error(ErrorCode::kCorrupt, "at byte {}: a bool is neither 0 nor 1", offset() - bytes.size());
  }
  return bytes;
}

std::span<const std::byte> GgufCursor::skip_array(int depth) {
  if (depth >= kMaxGgufArrayDepth) {
    set_error(ErrorCode::kUnsupported, "at byte {}: arrays are nested more than {} deep", offset(),
              kMaxGgufArrayDepth);
    return {};
  }
  const auto element = static_cast<GgufType>(read<uint32_t>());
  const uint64_t count = read<uint64_t>();
  if (element != GgufType::kString && element != GgufType::kArray) return skip_scalars(element, count);
  const uint64_t smallest = element == GgufType::kString ? 8 : 12;  // an empty one
  if (count > remaining() / smallest) {
    set_error(ErrorCode::kCorrupt, "at byte {}: an array of {} {}s runs past the end of the file", offset(),
              count, gguf_type_name(static_cast<uint32_t>(element)));
    return {};
  }
  const uint64_t begin = at_;
  for (uint64_t i = 0; i < count && ok(); ++i) skip_value(element, depth + 1);
  return bytes_.subspan(begin, at_ - begin);
}

}  // namespace quire
