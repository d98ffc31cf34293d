// Writes GGUF version 3: declare the keys and tensors, then write() streams the data. Errors of the values
// declared show when the file is opened again; the writer checks only what it needs. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"
#include "tensor/dtype.h"
#include "weights/gguf_format.h"

namespace quire {

class GgufWriter {
 public:
  // Data is aligned to `alignment`, a power of two of at least 8; one that is not the default is also
  // written as a key.
  explicit GgufWriter(uint64_t alignment = kGgufDefaultAlignment);

  void add_u32(std::string_view key, uint32_t value) { add_scalar(key, GgufType::kU32, value); }
  void add_i32(std::string_view key, int32_t value) { add_scalar(key, GgufType::kI32, value); }
  void add_u64(std::string_view key, uint64_t value) { add_scalar(key, GgufType::kU64, value); }
  void add_f32(std::string_view key, float value) { add_scalar(key, GgufType::kF32, value); }
  void add_bool(std::string_view key, bool value) { add_scalar(key, GgufType::kBool, value); }
  void add_string(std::string_view key, std::string_view value);
  void add_strings(std::string_view key, std::span<const std::string> values);
  void add_i32s(std::string_view key, std::span<const int32_t> values);
  // A value of any type as another file holds it (GgufMetadata::Entry): for copying keys.
  void add_raw(std::string_view key, GgufType type, GgufType element, uint64_t count,
               std::span<const std::byte> bytes);

  // A matrix [rows, cols]; rows of 0 declare a vector of `cols`. `cols` is a multiple of
  // block_elements(dtype).
  void add_tensor(std::string_view name, DType dtype, int64_t cols, int64_t rows = 0);

  // Fills `out` with rows [begin, end) of tensor number `tensor`, in the order declared.
  using FillRows =
      FunctionRef<Expected<>(size_t tensor, int64_t begin, int64_t end, std::span<std::byte> out)>;

  // Writes everything to a temporary file beside `path`, which then takes its place. `fill` is called for
  // the tensors in order, some rows at a time (about 4 MiB, at least one row). On an error nothing remains.
  Expected<> write(const std::string& path, FillRows fill) const;

 private:
  struct Tensor {
    DType dtype;
    int64_t cols, rows;
    uint64_t bytes;
  };

  template <class T>
  void add_scalar(std::string_view key, GgufType type, T value) {
    add_key(key, type);
    append(metadata_, value);
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  static void append(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  static void append_string(std::string& out, std::string_view text);
  void add_key(std::string_view key, GgufType type);

  uint64_t alignment_;
  uint64_t num_keys_ = 0;
  std::string metadata_;  // encoded
  std::string records_;   // the tensors' records, encoded
  std::vector<Tensor> tensors_;
  uint64_t data_bytes_ = 0;
};

}  // namespace quire
