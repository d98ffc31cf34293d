#include "weights/packed_weights.h"

#include <cstring>

#include "base/check.h"
#include "tensor/half.h"

namespace quire {
namespace {

int64_t request_bytes(const PackRequest& request, const KernelTable& kernels) {
  const int64_t bytes = request.vector ? request.cols * static_cast<int64_t>(sizeof(float))
                                       : kernels.packed_bytes(request.dtype, request.rows, request.cols);
  return round_up(bytes, kCacheLine);
}

void widen(const GgufTensor& tensor, float* target) {
  const int64_t count = tensor.cols();
  if (tensor.dtype == DType::kF32) {
    std::memcpy(target, tensor.bytes.data(), tensor.bytes.size());
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, tensor.bytes.data() + i * 2, sizeof(bits));
    target[i] = tensor.dtype == DType::kF16 ? fp16_to_float(bits) : bf16_to_float(bits);
  }
}

void pack_matrix(const GgufFile& file, const PackRequest& request, const KernelTable& kernels,
                 ThreadPool& pool, std::byte* target) {
  int64_t first_group = 0;
  for (const std::string& name : request.parts) {
    const GgufTensor* tensor = file.find_tensor(name);
    CHECK(tensor != nullptr && tensor->dtype == request.dtype && tensor->cols() == request.cols);
    const int64_t groups = round_up(tensor->rows(), kernels.row_group) / kernels.row_group;
    const PackArgs args{.dtype = request.dtype,
                        .source = tensor->bytes.data(),
                        .rows = tensor->rows(),
                        .cols = tensor->cols(),
                        .target = target,
                        .first_group = first_group,
                        .group_step = request.paired ? 2 : 1};
    pool.split(groups, 1, [&](int, int64_t begin, int64_t end) { kernels.pack(args, begin, end); });
    first_group += request.paired ? 1 : groups;
    file.release(*tensor);
  }
}

}  // namespace

int64_t packed_weight_bytes(std::span<const PackRequest> requests, const KernelTable& kernels) {
  int64_t total = 0;
  for (const PackRequest& request : requests) total += request_bytes(request, kernels);
  return total;
}

Expected<PackedWeights> PackedWeights::pack(const GgufFile& file, std::span<const PackRequest> requests,
                                            const KernelTable& kernels, ThreadPool& pool,
                                            PackProgress progress) {
  const int64_t total_bytes = packed_weight_bytes(requests, kernels);
  auto arena = Arena::create(total_bytes);
  if (!arena) return std::unexpected(arena.error());
  PackedWeights packed;
  packed.arena_ = std::move(*arena);
  std::byte* target = packed.arena_.data();
  for (const PackRequest& request : requests) {
    if (request.vector) {
      widen(*file.find_tensor(request.parts[0]), reinterpret_cast<float*>(target));
    } else {
      pack_matrix(file, request, kernels, pool, target);
    }
    packed.matrices_.push_back({target, request.rows, request.cols, request.dtype});
    target += request_bytes(request, kernels);
    progress(target - packed.arena_.data(), total_bytes);
  }
  return packed;
}

}  // namespace quire
