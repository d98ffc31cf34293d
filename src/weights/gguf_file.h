// A GGUF file, mapped and checked: after open() every name is unique and every tensor's bytes lie in the
// file, whole, aligned and apart from each other. The format: gguf_format.h, and docs/gguf.md of the ggml
// project. Const members may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"
#include "weights/gguf_format.h"
#include "weights/gguf_metadata.h"
#include "weights/mapped_file.h"

namespace quire {

struct GgufTensor {
  std::string name;
  DType dtype = DType::kF32;
  uint32_t num_dims = 0;
  std::array<int64_t, kMaxGgufDims> dims{1, 1, 1, 1};  // columns first; 1 beyond num_dims
  uint64_t offset = 0;                                 // in the file
  std::span<const std::byte> bytes;                    // in the mapping

  // As a matrix [rows, cols]; a vector is one row.
  int64_t cols() const { return dims[0]; }
  int64_t rows() const { return dims[1] * dims[2] * dims[3]; }
};

// "[576, 49152]", columns first.
std::string format_dims(const GgufTensor& tensor);

class GgufFile {
 public:
  // Versions 2 and 3. kCorrupt names what is wrong and where; kUnsupported what this build does not read
  // (another version, big endian, another tensor type, a split file). See MappedFile::open for the rest.
  static Expected<GgufFile> open(const std::string& path);

  const std::string& path() const { return path_; }
  uint32_t version() const { return version_; }
  uint64_t file_bytes() const { return mapping_.bytes().size(); }

  const GgufMetadata& metadata() const { return metadata_; }
  std::span<const GgufTensor> tensors() const { return tensors_; }  // in the file's order
  const GgufTensor* find_tensor(std::string_view name) const;       // null if there is none

  // The tensor's bytes were read for the last time, e.g. after packing: they no longer count as this
  // process's memory.
  void release(const GgufTensor& tensor) const { mapping_.release(tensor.bytes); }

 private:
  GgufFile(std::string path, MappedFile mapping) : path_(std::move(path)), mapping_(std::move(mapping)) {}
  Expected<> parse();
  Expected<> index_tensors();

  std::string path_;
  MappedFile mapping_;
  uint32_t version_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<uint32_t> by_name_;  // indices into tensors_, ascending by name
};

}  // namespace quire
