// Looks up a model's weights in the file while it is traced, and keeps the first error so that a trace
// reads as a trace.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "graph/graph_builder.h"
#include "weights/gguf_file.h"

namespace quire {

class WeightBinder {
 public:
  WeightBinder(const GgufFile& file, GraphBuilder& builder) : file_(file), builder_(builder) {}

  // A matrix [rows, cols], or for rows = 1 a vector, which must be of a float type.
  WeightId matrix(const std::string& name, int64_t rows, int64_t cols);
  WeightId vector(const std::string& name, int64_t cols);

  // Marks a tensor that is read elsewhere.
  void ignore(std::string_view name) { used_.emplace(name); }

  // The first error, or the name of a tensor that nothing used: running without it would silently be
  // another model.
  Expected<> finish() const;

 private:
  const GgufTensor* find(const std::string& name, int64_t rows, int64_t cols);

  const GgufFile& file_;
  GraphBuilder& builder_;
  std::set<std::string, std::less<>> used_;
  std::optional<Error> error_;
};

}  // namespace quire
