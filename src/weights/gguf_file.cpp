#include "weights/gguf_file.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "weights/gguf_cursor.h"

namespace quire {
namespace {

struct Header {
  uint32_t version;
  uint64_t num_tensors, num_keys;
};

Expected<Header> read_header(GgufCursor& cursor) {
  const auto magic = cursor.take(kGgufMagic.size(), "the magic number");
  if (!cursor.ok() || !std::ranges::equal(magic, std::as_bytes(std::span(kGgufMagic)))) {
    return fail(ErrorCode::kCorrupt,
                "it does not begin with 'GGUF' (a model in another format must be converted first)");
  }
  Header header{};
  header.version = cursor.read<uint32_t>();
  if (cursor.ok() && header.version != 0 && (header.version & 0xffff) == 0) {
    return fail(ErrorCode::kUnsupported, "it is big endian; only little-endian GGUF is supported");
  }
  if (cursor.ok() && header.version != 2 && header.version != 3) {
    return fail(ErrorCode::kUnsupported, "it has GGUF version {}; versions 2 and 3 are supported",
                header.version);
  }
  header.num_tensors = cursor.read<uint64_t>();
  header.num_keys = cursor.read<uint64_t>();
  if (!cursor.ok()) return cursor.error();
  constexpr uint64_t kSmallestTensor = 8 + 4 + 8 + 4 + 8;  // an empty name and one dimension
  constexpr uint64_t kSmallestKey = 8 + 4 + 1;
  if (header.num_tensors > std::min(kMaxGgufTensors, cursor.remaining() / kSmallestTensor)) {
    return fail(ErrorCode::kCorrupt, "it says it has {} tensors, too many for {} bytes", header.num_tensors,
                cursor.remaining());
  }
  if (header.num_keys > std::min(kMaxGgufKeys, cursor.remaining() / kSmallestKey)) {
    return fail(ErrorCode::kCorrupt, "it says it has {} keys, too many for {} bytes", header.num_keys,
                cursor.remaining());
  }
  return header;
}

std::string_view read_name(GgufCursor& cursor, const char* what) {
  const uint64_t at = cursor.offset();
  const std::string_view name = cursor.read_string(what);
  if (cursor.ok() && (name.empty() || name.size() > kMaxGgufNameBytes)) {
    cursor.set_error(ErrorCode::kCorrupt, "at byte {}: {} must have 1 to {} bytes, but has {}", at, what,
                     kMaxGgufNameBytes, name.size());
  }
  return name;
}

GgufMetadata::Entry read_entry(GgufCursor& cursor) {
  GgufMetadata::Entry entry{};
  entry.key = read_name(cursor, "a key");
  entry.type = static_cast<GgufType>(cursor.read<uint32_t>());
  entry.element = entry.type;
  entry.count = 1;
  if (entry.type == GgufType::kArray && cursor.ok()) {
    GgufCursor ahead = cursor;  // the array's head, which skip_value passes over
    entry.element = static_cast<GgufType>(ahead.read<uint32_t>());
    entry.count = ahead.read<uint64_t>();
  }
  entry.bytes = cursor.skip_value(entry.type);
  return entry;
}

Expected<GgufMetadata> read_metadata(GgufCursor& cursor, uint64_t count) {
  std::vector<GgufMetadata::Entry> entries;
  entries.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto entry = read_entry(cursor);
    if (!cursor.ok()) {
      Error error = cursor.error().error();
      if (!entry.key.empty()) error.message += fmt::format(" (key '{}')", printable(entry.key));
      return std::unexpected(std::move(error));
    }
    entries.push_back(entry);
  }
  return GgufMetadata::create(std::move(entries));
}

Expected<uint64_t> read_alignment(const GgufMetadata& metadata) {
  const auto value = metadata.integer(kGgufAlignmentKey, INT64_MIN, INT64_MAX);
  if (!value && value.error().code == ErrorCode::kNotFound) return kGgufDefaultAlignment;
  if (!value) return std::unexpected(value.error());
  const auto alignment = static_cast<uint64_t>(*value);
  if (*value < 8 || alignment > kMaxGgufAlignment || (alignment & (alignment - 1)) != 0) {
    return fail(ErrorCode::kCorrupt, "key '{}' must be a power of two from 8 to {}, but is {}",
                kGgufAlignmentKey, kMaxGgufAlignment, *value);
  }
  return alignment;
}

// A tensor's record as it stands in the file: nothing but the name is checked.
struct TensorRecord {
  std::string_view name;
  uint32_t num_dims = 0;
  std::array<uint64_t, kMaxGgufDims> dims{1, 1, 1, 1};
  uint32_t type = 0;
  uint64_t offset = 0;  // in the data
};

TensorRecord read_record(GgufCursor& cursor) {
  TensorRecord record;
  record.name = read_name(cursor, "a tensor's name");
  record.num_dims = cursor.read<uint32_t>();
  if (cursor.ok() && (record.num_dims < 1 || record.num_dims > kMaxGgufDims)) {
    cursor.set_error(ErrorCode::kCorrupt, "tensor '{}' must have 1 to {} dimensions, but has {}",
                     printable(record.name), kMaxGgufDims, record.num_dims);
  }
  for (uint32_t i = 0; i < record.num_dims && cursor.ok(); ++i) record.dims[i] = cursor.read<uint64_t>();
  record.type = cursor.read<uint32_t>();
  record.offset = cursor.read<uint64_t>();
  return record;
}

// Bytes of the tensor's data; every product checked.
Expected<uint64_t> data_bytes(const TensorRecord& record, DType dtype) {
  uint64_t elements = 1;
  for (const uint64_t dim : record.dims) {
    if (dim == 0)
      return fail(ErrorCode::kCorrupt, "tensor '{}' has a dimension of 0", printable(record.name));
    if (__builtin_mul_overflow(elements, dim, &elements) || elements > static_cast<uint64_t>(INT64_MAX)) {
      return fail(ErrorCode::kCorrupt, "tensor '{}': the product of its dimensions overflows",
                  printable(record.name));
    }
  }
  const auto block = static_cast<uint64_t>(block_elements(dtype));
  if (record.dims[0] % block != 0) {
    return fail(ErrorCode::kCorrupt, "tensor '{}' of type {} has {} columns, not a multiple of {}",
                printable(record.name), to_string(dtype), record.dims[0], block);
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements / block, static_cast<uint64_t>(block_bytes(dtype)), &bytes)) {
    return fail(ErrorCode::kCorrupt, "tensor '{}': its size overflows", printable(record.name));
  }
  return bytes;
}

// `data` is the part of the file that holds the tensors, and begins at byte `data_offset` of it.
Expected<GgufTensor> place_tensor(const TensorRecord& record, std::span<const std::byte> data,
                                  uint64_t data_offset, uint64_t alignment) {
  const auto dtype = dtype_of_ggml_type(record.type);
  if (!dtype) {
    return fail(ErrorCode::kUnsupported,
                "tensor '{}' has type {}; supported: F32, F16, BF16, Q4_0, Q4_1, Q8_0",
                printable(record.name), ggml_type_name(record.type));
  }
  const auto bytes = data_bytes(record, *dtype);
  if (!bytes) return std::unexpected(bytes.error());
  if (record.offset % alignment != 0) {
    return fail(ErrorCode::kCorrupt, "tensor '{}' at offset {} is not aligned to {} bytes",
                printable(record.name), record.offset, alignment);
  }
  if (record.offset > data.size() || *bytes > data.size() - record.offset) {
    return fail(ErrorCode::kCorrupt,
                "tensor '{}' ({} bytes at offset {}) does not lie in the file's {} bytes of data",
                printable(record.name), *bytes, record.offset, data.size());
  }
  GgufTensor tensor;
  tensor.name = record.name;
  tensor.dtype = *dtype;
  tensor.num_dims = record.num_dims;
  for (size_t i = 0; i < kMaxGgufDims; ++i) tensor.dims[i] = static_cast<int64_t>(record.dims[i]);
  tensor.offset = data_offset + record.offset;
  tensor.bytes = data.subspan(record.offset, *bytes);
  return tensor;
}

// No two tensors may share a byte.
Expected<> check_overlap(std::span<const GgufTensor> tensors) {
  std::vector<uint32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](uint32_t index) { return tensors[index].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const GgufTensor& before = tensors[order[i - 1]];
    const GgufTensor& after = tensors[order[i]];
    if (before.offset + before.bytes.size() > after.offset) {
      return fail(ErrorCode::kCorrupt, "tensors '{}' and '{}' overlap", printable(before.name),
                  printable(after.name));
    }
  }
  return {};
}

// What to do about a file that cannot be used, as the end of a message.
std::string_view gguf_advice(ErrorCode code) {
  if (code == ErrorCode::kCorrupt) return "; fetch the file again, or take another";
  return code == ErrorCode::kUnsupported ? "; take another file of the model" : "";
}

}  // namespace

std::string format_dims(const GgufTensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.dims.begin(), tensor.dims.begin() + tensor.num_dims, ", "));
}

Expected<GgufFile> GgufFile::open(const std::string& path) {
  auto mapping = MappedFile::open(path);
  if (!mapping) return std::unexpected(mapping.error());
  GgufFile file(path, std::move(*mapping));
  if (auto parsed = file.parse(); !parsed) {
    return fail(parsed.error().code, "cannot use '{}' as a GGUF model: {}{}", path, parsed.error().message,
                gguf_advice(parsed.error().code));
  }
  return file;
}

Expected<> GgufFile::parse() {
  GgufCursor cursor(mapping_.bytes());
  const auto header = read_header(cursor);
  if (!header) return std::unexpected(header.error());
  version_ = header->version;

  auto metadata = read_metadata(cursor, header->num_keys);
  if (!metadata) return std::unexpected(metadata.error());
  metadata_ = std::move(*metadata);
  const auto alignment = read_alignment(metadata_);
  if (!alignment) return std::unexpected(alignment.error());
  const auto splits = value_or(metadata_.integer("split.count", 0, UINT16_MAX), int64_t{0});
  if (!splits) return std::unexpected(splits.error());
  if (*splits > 1) {
    return fail(ErrorCode::kUnsupported, "it is one of {} parts of a split model; merge them into one file",
                *splits);
  }

  std::vector<TensorRecord> records;
  records.reserve(header->num_tensors);
  for (uint64_t i = 0; i < header->num_tensors; ++i) {
    records.push_back(read_record(cursor));
    if (!cursor.ok()) return cursor.error();
  }
  if (!records.empty()) {  // the padding before the data; offset() is at most the file's size, so nothing
                           // overflows
    cursor.take((*alignment - cursor.offset() % *alignment) % *alignment, "the padding before the data");
  }
  if (!cursor.ok()) return cursor.error();
  const uint64_t data_offset = cursor.offset();
  tensors_.reserve(records.size());
  for (const TensorRecord& record : records) {
    auto tensor = place_tensor(record, mapping_.bytes().subspan(data_offset), data_offset, *alignment);
    if (!tensor) return std::unexpected(tensor.error());
    tensors_.push_back(std::move(*tensor));
  }
  return index_tensors();
}

Expected<> GgufFile::index_tensors() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0);
  const auto name_of = [&](uint32_t index) -> std::string_view { return tensors_[index].name; };
  std::ranges::sort(by_name_, {}, name_of);
  const auto twice = std::ranges::adjacent_find(by_name_, {}, name_of);
  if (twice != by_name_.end()) {
    return fail(ErrorCode::kCorrupt, "tensor '{}' comes twice", printable(name_of(*twice)));
  }
  return check_overlap(tensors_);
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto name_of = [&](uint32_t index) -> std::string_view { return tensors_[index].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found != by_name_.end() && name_of(*found) == name ? &tensors_[*found] : nullptr;
}

}  // namespace quire
