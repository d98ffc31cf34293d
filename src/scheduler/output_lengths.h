// How long outputs are, learnt from those that have ended: what a running sequence will still take of the
// pool is guessed from it (the past half of the "past-future scheduler", Gong et al. 2025).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quire {

class OutputLengths {
 public:
  // Until outputs have ended, some of `prior` tokens stand for them. With 0 nothing is learnt, and nobody
  // ever expected to say more.
  explicit OutputLengths(int32_t prior);

  // A sequence ended by itself after so many tokens. O(kHistory).
  void add(int32_t length);

  // Tokens that an output of `num_tokens` will have in the end: the mean of those that grew longer; of one
  // that outgrew them all, twice what it has. More than it has, and at most `max_tokens`. O(log kHistory).
  int32_t expect(int32_t num_tokens, int32_t max_tokens) const;

 private:
  static constexpr size_t kPriors = 8;
  static constexpr size_t kHistory = 256;

  void sum_up();

  const bool learns_;
  std::vector<int32_t> recent_;  // a ring once it is full
  size_t next_ = 0;              // the oldest, where the next one goes
  std::vector<int32_t> sorted_;  // ascending
  std::vector<int64_t> from_;    // from_[i]: the sum of sorted_[i] and all after it
};

}  // namespace quire
