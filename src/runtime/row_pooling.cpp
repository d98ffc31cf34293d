#include "runtime/row_pooling.h"

#include <algorithm>

#include "base/check.h"

namespace quire {
namespace {

constexpr int64_t kRowsAtOnce = 32;

// Positions of the prompt that count, as [first, last).
std::pair<int32_t, int32_t> pooled_range(const WorkerRow& row) {
  switch (row.sampling->pooling) {
    case Pooling::kMean: return {0, row.num_prompt_tokens};
    case Pooling::kCls: return {0, 1};
    case Pooling::kLast: return {row.num_prompt_tokens - 1, row.num_prompt_tokens};
    case Pooling::kNone: break;
  }
  CHECK(false, "a row that samples has no embedding");
  return {};
}

}  // namespace

RowPooling::RowPooling(const PlanExecutor& executor)
    : executor_(executor),
      width_(executor.hidden_width()),
      normed_(static_cast<size_t>(kRowsAtOnce * width_)) {}

void RowPooling::add(const RowWork& work, int64_t first_row, WorkerRow& row) {
  if (row.pooled.empty()) row.pooled.assign(static_cast<size_t>(width_), 0.0);
  const auto [first, last] = pooled_range(row);
  const int32_t end = std::min(last, work.first_position + work.num_tokens);
  for (int32_t at = std::max(first, work.first_position); at < end;) {
    const int64_t count = std::min<int64_t>(end - at, kRowsAtOnce);
    CHECK(row.num_pooled == at - first, "{} positions were pooled before position {}", row.num_pooled, at);
    executor_.norm_hidden(first_row + at - work.first_position, count, normed_.data());
    for (int64_t i = 0; i < count; ++i) {
      const float* hidden = normed_.data() + i * width_;
      for (int64_t k = 0; k < width_; ++k) row.pooled[static_cast<size_t>(k)] += hidden[k];
    }
    at += static_cast<int32_t>(count);
    row.num_pooled += static_cast<int32_t>(count);
  }
}

std::vector<float> RowPooling::result(const WorkerRow& row) {
  const auto [first, last] = pooled_range(row);
  CHECK(row.num_pooled == last - first, "{} of {} positions were pooled", row.num_pooled, last - first);
  std::vector<float> embedding;
  embedding.reserve(row.pooled.size());
  for (const double sum : row.pooled) embedding.push_back(static_cast<float>(sum / row.num_pooled));
  return embedding;
}

}  // namespace quire
