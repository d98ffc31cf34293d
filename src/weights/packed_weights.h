// A model's weights in the layout of one instruction set, packed from the file by all threads. Owns the
// memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "tensor/arena.h"
#include "weights/gguf_file.h"

namespace quire {

// One matrix to make: of a single tensor, of several stacked, or of two in alternate row groups.
struct PackRequest {
  std::vector<std::string>
      parts;  // tensors of one type and width, each filling whole row groups unless it is the only one
  DType dtype = DType::kF32;
  int64_t rows = 0;  // of all parts
  int64_t cols = 0;
  bool paired = false;
  bool vector = false;  // kept as one row of floats (a norm's weight), not packed
};

// Told how far packing is, after each matrix: packed bytes, of how many. The last call has them equal.
using PackProgress = FunctionRef<void(int64_t done_bytes, int64_t total_bytes)>;

// Bytes that packing takes.
int64_t packed_weight_bytes(std::span<const PackRequest> requests, const KernelTable& kernels);

class PackedWeights {
 public:
  // The tensors were checked to exist with these shapes. Pages of the file that were read are released as
  // it goes.
  static Expected<PackedWeights> pack(
      const GgufFile& file, std::span<const PackRequest> requests, const KernelTable& kernels,
      ThreadPool& pool, PackProgress progress = [](int64_t, int64_t) {});

  PackedMatrix matrix(size_t request) const { return matrices_[request]; }
  const float* vector(size_t request) const {
    return reinterpret_cast<const float*>(matrices_[request].data);
  }
  int64_t bytes() const { return arena_.size(); }

 private:
  Arena arena_;
  std::vector<PackedMatrix> matrices_;  // by request
};

}  // namespace quire
