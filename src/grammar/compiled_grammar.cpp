#include "grammar/compiled_grammar.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "grammar/xgrammar_parts.h"

namespace quire {

CompiledGrammar::CompiledGrammar(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)),
      bytes_(parts_->grammar.MemorySizeBytes()),
      vocab_size_(parts_->grammar.GetTokenizerInfo().GetVocabSize()) {}

CompiledGrammar::~CompiledGrammar() = default;

struct GrammarMatcher::State {
  xgrammar::GrammarMatcher matcher;
};

GrammarMatcher::GrammarMatcher() = default;
GrammarMatcher::GrammarMatcher(std::shared_ptr<const CompiledGrammar> grammar)
    : grammar_(std::move(grammar)),
      state_(std::make_unique<State>(State{xgrammar::GrammarMatcher(grammar_->parts().grammar)})) {}
GrammarMatcher::~GrammarMatcher() = default;
GrammarMatcher::GrammarMatcher(GrammarMatcher&&) noexcept = default;
GrammarMatcher& GrammarMatcher::operator=(GrammarMatcher&&) noexcept = default;

bool GrammarMatcher::accept(TokenId token) {
  if (token < 0 || token >= grammar_->vocab_size() || terminated()) return false;
  try {
    if (!state_->matcher.AcceptToken(token)) return false;
  } catch (const std::exception& error) {
    LOG(error, "a grammar's matcher failed: {}", error.what());
    return false;
  }
  ++num_accepted_;
  return true;
}

void GrammarMatcher::rollback(int32_t count) {
  CHECK(count >= 0 && count <= num_accepted_);
  if (count == 0) return;
  state_->matcher.Rollback(count);
  num_accepted_ -= count;
}

GrammarMatcher GrammarMatcher::fork() const {
  GrammarMatcher copy;
  copy.grammar_ = grammar_;
  copy.state_ = std::make_unique<State>(State{state_->matcher.Fork()});
  copy.num_accepted_ = num_accepted_;
  return copy;
}

void GrammarMatcher::fill(std::span<uint32_t> mask) {
  const auto vocab_size = static_cast<size_t>(grammar_->vocab_size());
  CHECK(mask.size() == (vocab_size + 31) / 32);
  if (terminated()) {
    std::ranges::fill(mask, 0);
    return;
  }
  auto num_words = static_cast<int64_t>(mask.size());
  DLTensor tensor{};
  tensor.data = mask.data();
  tensor.device = {kDLCPU, 0};
  tensor.ndim = 1;
  tensor.dtype = xgrammar::GetBitmaskDLType();
  tensor.shape = &num_words;
  try {
    const bool some_are_out = state_->matcher.FillNextTokenBitmask(&tensor);
    if (!some_are_out) std::ranges::fill(mask, ~uint32_t{0});
  } catch (const std::exception& error) {
    LOG(error, "a grammar's mask could not be made: {}", error.what());
    std::ranges::fill(mask, 0);
  }
  if (vocab_size % 32 != 0) mask.back() &= (uint32_t{1} << (vocab_size % 32)) - 1;
}

bool GrammarMatcher::terminated() const { return state_->matcher.IsTerminated(); }

}  // namespace quire
