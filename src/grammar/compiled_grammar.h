// A grammar made ready for one vocabulary, and how far one sequence has come in it. A thin wall around
// xgrammar: nothing else includes its headers, and its exceptions end here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/types.h"

namespace quire {

// A bit a token, lowest id first: whether it may come next.
using TokenMask = std::vector<uint32_t>;

inline bool allows(std::span<const uint32_t> mask, TokenId token) {
  const auto id = static_cast<size_t>(token);
  return id / 32 < mask.size() && (mask[id / 32] >> (id % 32) & 1) != 0;
}

// Immutable; shared by requests, safe from any thread.
class CompiledGrammar {
 public:
  struct Parts;
  explicit CompiledGrammar(std::unique_ptr<Parts> parts);
  ~CompiledGrammar();

  size_t bytes() const { return bytes_; }  // about what it takes
  int32_t vocab_size() const { return vocab_size_; }
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
  size_t bytes_ = 0;
  int32_t vocab_size_ = 0;
};

// One sequence's place in a grammar. One thread at a time.
class GrammarMatcher {
 public:
  explicit GrammarMatcher(std::shared_ptr<const CompiledGrammar> grammar);
  ~GrammarMatcher();
  GrammarMatcher(GrammarMatcher&&) noexcept;
  GrammarMatcher& operator=(GrammarMatcher&&) noexcept;

  // Goes on past `token`; false, and no change, if the grammar does not let it come next. End-of-sequence
  // tokens are taken where the text is complete.
  bool accept(TokenId token);
  // Takes the last tokens back. count: at most those accepted.
  void rollback(int32_t count);
  // A second matcher at the same place.
  GrammarMatcher fork() const;

  // Fills (vocab_size + 31) / 32 words. None is set where nothing may follow, as after the end.
  void fill(std::span<uint32_t> mask);
  // Whether an end-of-sequence token was taken.
  bool terminated() const;

  int32_t num_accepted() const { return num_accepted_; }

 private:
  struct State;
  GrammarMatcher();

  std::shared_ptr<const CompiledGrammar> grammar_;
  std::unique_ptr<State> state_;
  int32_t num_accepted_ = 0;
};

}  // namespace quire
