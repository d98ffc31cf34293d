#include "models/weight_binder.h"

namespace quire {

const GgufTensor* WeightBinder::find(const std::string& name, int64_t rows, int64_t cols) {
  used_.insert(name);
  const GgufTensor* tensor = file_.find_tensor(name);
  if (error_) return tensor;
  if (tensor == nullptr) {
    error_ = Error{ErrorCode::kCorrupt, fmt::format("the model has no tensor '{}'", name), {}};
  } else if (tensor->rows() != rows || tensor->cols() != cols) {
    error_ = Error{ErrorCode::kCorrupt,
                   fmt::format("tensor '{}' is {} x {}, but the model's configuration asks for {} x {}",
                               name, tensor->rows(), tensor->cols(), rows, cols),
                   {}};
  }
  return tensor;
}

WeightId WeightBinder::matrix(const std::string& name, int64_t rows, int64_t cols) {
  const GgufTensor* tensor = find(name, rows, cols);
  return builder_.weight(name, tensor == nullptr ? DType::kF32 : tensor->dtype, rows, cols);
}

WeightId WeightBinder::vector(const std::string& name, int64_t cols) {
  const GgufTensor* tensor = find(name, 1, cols);
  if (!error_ && is_quantized(tensor->dtype)) {
    error_ = Error{ErrorCode::kUnsupported,
                   fmt::format("tensor '{}' is {}, but a vector must be f32, f16 or bf16", name,
                               to_string(tensor->dtype)),
                   {}};
  }
  return builder_.weight(name, tensor == nullptr ? DType::kF32 : tensor->dtype, 1, cols);
}

Expected<> WeightBinder::finish() const {
  if (error_) return std::unexpected(*error_);
  for (const GgufTensor& tensor : file_.tensors()) {
    if (used_.contains(tensor.name)) continue;
    return fail(ErrorCode::kUnsupported,
                "the model has a tensor '{}' that its architecture, as Quire knows it, does not use",
                tensor.name);
  }
  return {};
}

}  // namespace quire
