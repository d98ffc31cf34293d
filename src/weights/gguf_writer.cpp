#include "weights/gguf_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace quire {
namespace {

constexpr int64_t kChunkBytes = 4 << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool put(std::FILE* file, const void* bytes, size_t count) {
  return std::fwrite(bytes, 1, count, file) == count;
}

bool put_zeros(std::FILE* file, uint64_t count) {
  const std::string zeros(count, '\0');
  return put(file, zeros.data(), zeros.size());
}

std::unexpected<Error> write_failure(const std::string& path) {
  return fail(ErrorCode::kIo, "cannot write '{}': {}", path, std::strerror(errno));
}

}  // namespace

GgufWriter::GgufWriter(uint64_t alignment) : alignment_(alignment) {
  CHECK(alignment >= 8 && alignment <= kMaxGgufAlignment && (alignment & (alignment - 1)) == 0);
  if (alignment != kGgufDefaultAlignment) add_u32(kGgufAlignmentKey, static_cast<uint32_t>(alignment));
}

void GgufWriter::append_string(std::string& out, std::string_view text) {
  append(out, static_cast<uint64_t>(text.size()));
  out += text;
}

void GgufWriter::add_key(std::string_view key, GgufType type) {
  append_string(metadata_, key);
  append(metadata_, static_cast<uint32_t>(type));
  ++num_keys_;
}

void GgufWriter::add_string(std::string_view key, std::string_view value) {
  add_key(key, GgufType::kString);
  append_string(metadata_, value);
}

void GgufWriter::add_strings(std::string_view key, std::span<const std::string> values) {
  std::string encoded;
  for (const std::string& value : values) append_string(encoded, value);
  add_raw(key, GgufType::kArray, GgufType::kString, values.size(), std::as_bytes(std::span(encoded)));
}

void GgufWriter::add_i32s(std::string_view key, std::span<const int32_t> values) {
  add_raw(key, GgufType::kArray, GgufType::kI32, values.size(), std::as_bytes(values));
}

void GgufWriter::add_raw(std::string_view key, GgufType type, GgufType element, uint64_t count,
                         std::span<const std::byte> bytes) {
  add_key(key, type);
  if (type == GgufType::kArray) {
    append(metadata_, static_cast<uint32_t>(element));
    append(metadata_, count);
  } else if (type == GgufType::kString) {
    append(metadata_, static_cast<uint64_t>(bytes.size()));
  }
  metadata_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void GgufWriter::add_tensor(std::string_view name, DType dtype, int64_t cols, int64_t rows) {
  CHECK(cols > 0 && rows >= 0 && cols % block_elements(dtype) == 0, "tensor '{}' of {} x {}", name, rows,
        cols);
  append_string(records_, name);
  append(records_, uint32_t{rows == 0 ? 1U : 2U});
  append(records_, static_cast<uint64_t>(cols));
  if (rows != 0) append(records_, static_cast<uint64_t>(rows));
  append(records_, ggml_type_of(dtype));
  append(records_, data_bytes_);
  const int64_t stored_rows = std::max<int64_t>(rows, 1);
  const auto bytes = static_cast<uint64_t>(row_bytes(dtype, cols) * stored_rows);
  tensors_.push_back({dtype, cols, stored_rows, bytes});
  data_bytes_ = align_up(data_bytes_ + bytes, alignment_);
}

Expected<> GgufWriter::write(const std::string& path, FillRows fill) const {
  const std::string partial = path + ".partial";
  FilePtr file(std::fopen(partial.c_str(), "wb"));
  if (!file) return write_failure(partial);
  const auto abandon = [&](std::unexpected<Error> error) {
    file.reset();
    std::remove(partial.c_str());
    return error;
  };

  std::string head(kGgufMagic);
  append(head, kGgufVersion);
  append(head, static_cast<uint64_t>(tensors_.size()));
  append(head, num_keys_);
  head += metadata_;
  head += records_;
  head.resize(align_up(head.size(), alignment_));
  if (!put(file.get(), head.data(), head.size())) return abandon(write_failure(partial));

  std::vector<std::byte> chunk;
  for (size_t index = 0; index < tensors_.size(); ++index) {
    const Tensor& tensor = tensors_[index];
    const int64_t bytes_a_row = row_bytes(tensor.dtype, tensor.cols);
    const int64_t rows_a_chunk = std::max<int64_t>(1, kChunkBytes / bytes_a_row);
    for (int64_t begin = 0; begin < tensor.rows; begin += rows_a_chunk) {
      const int64_t end = std::min(tensor.rows, begin + rows_a_chunk);
      chunk.resize(static_cast<size_t>((end - begin) * bytes_a_row));
      if (auto filled = fill(index, begin, end, chunk); !filled)
        return abandon(std::unexpected(filled.error()));
      if (!put(file.get(), chunk.data(), chunk.size())) return abandon(write_failure(partial));
    }
    const uint64_t padding = align_up(tensor.bytes, alignment_) - tensor.bytes;
    if (!put_zeros(file.get(), padding)) return abandon(write_failure(partial));
  }
  if (std::fclose(file.release()) != 0) return abandon(write_failure(partial));
  if (std::rename(partial.c_str(), path.c_str()) != 0) return abandon(write_failure(path));
  return {};
}

}  // namespace quire
