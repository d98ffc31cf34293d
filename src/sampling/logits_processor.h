// Changes to one row of logits before a token is chosen from it: one processor for each kind of option.
// They run in the order of logits_processors(); one whose option is off costs nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"
#include "config/sampling_params.h"

namespace quire {

// A sequence as its next token is chosen.
struct SequenceView {
  const SamplingParams* params = nullptr;
  std::span<const TokenId> tokens;  // prompt and output so far
  int32_t num_prompt_tokens = 0;
  uint64_t seed = 0;
  std::span<const uint32_t> allowed = {};  // a bit a token that its grammar lets come next; empty: all may

  std::span<const TokenId> output() const { return tokens.subspan(static_cast<size_t>(num_prompt_tokens)); }
};

// Scratch of one thread: which tokens were met in this row. Clearing is one increment.
class SeenTokens {
 public:
  explicit SeenTokens(int32_t vocab_size) : stamps_(static_cast<size_t>(vocab_size), 0) {}
  void clear() { ++stamp_; }
  // True the first time `token` is met since clear().
  bool insert(TokenId token) {
    uint64_t& stamp = stamps_[static_cast<size_t>(token)];
    const bool fresh = stamp != stamp_;
    stamp = stamp_;
    return fresh;
  }

  static int64_t bytes(int32_t vocab_size) { return vocab_size * static_cast<int64_t>(sizeof(uint64_t)); }

 private:
  std::vector<uint64_t> stamps_;
  uint64_t stamp_ = 0;
};

class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  virtual bool active(const SequenceView& sequence) const = 0;
  // logits: [vocab], changed in place.
  virtual void apply(const SequenceView& sequence, std::span<float> logits, SeenTokens& seen) const = 0;
};

// All of them: logit bias, minimum length, penalties. Stateless; safe from any thread. What a grammar
// forbids is masked after them (token_mask.h), so that nothing they add brings it back.
std::vector<std::unique_ptr<const LogitsProcessor>> logits_processors();

}  // namespace quire
