#include "scheduler/output_lengths.h"

#include <algorithm>

namespace quire {

OutputLengths::OutputLengths(int32_t prior)
    : learns_(prior > 0), recent_(kPriors, prior), sorted_(kPriors, prior) {
  recent_.reserve(kHistory);
  sorted_.reserve(kHistory + 1);
  from_.reserve(kHistory + 1);
  sum_up();
}

void OutputLengths::add(int32_t length) {
  if (!learns_) return;
  if (recent_.size() < kHistory && next_ >= kPriors) {
    recent_.push_back(length);
  } else {  // the priors go first, then the oldest
    if (next_ == recent_.size()) next_ = 0;
    sorted_.erase(std::ranges::lower_bound(sorted_, recent_[next_]));
    recent_[next_] = length;
  }
  ++next_;
  sorted_.insert(std::ranges::upper_bound(sorted_, length), length);
  sum_up();
}

void OutputLengths::sum_up() {
  from_.assign(sorted_.size(), 0);
  int64_t sum = 0;
  for (size_t i = sorted_.size(); i-- > 0;) from_[i] = sum += sorted_[i];
}

int32_t OutputLengths::expect(int32_t num_tokens, int32_t max_tokens) const {
  if (!learns_) return num_tokens;
  const auto longer = static_cast<size_t>(std::ranges::upper_bound(sorted_, num_tokens) - sorted_.begin());
  int64_t expected = int64_t{2} * num_tokens;
  if (longer < sorted_.size()) {
    const auto count = static_cast<int64_t>(sorted_.size() - longer);
    expected = (from_[longer] + count - 1) / count;
  }
  expected = std::max<int64_t>(expected, int64_t{num_tokens} + 1);
  return static_cast<int32_t>(std::min<int64_t>(expected, max_tokens));
}

}  // namespace quire
