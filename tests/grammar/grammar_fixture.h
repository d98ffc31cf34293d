// A vocabulary of single bytes and a few longer tokens, small enough to look at every token of a mask.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "grammar/grammar_compiler.h"
#include "tokenizer/tokenizer.h"

namespace quire {

class ByteTokenizer final : public Tokenizer {
 public:
  static constexpr TokenId kControl = 256, kEos = 257;
  ByteTokenizer();

  std::vector<TokenId> encode(std::string_view text, bool) const override;
  std::vector<TokenId> encode_parts(std::span<const TextPart>) const override { return {}; }
  std::string_view token_bytes(TokenId id) const override { return tokens_[static_cast<size_t>(id)]; }
  bool is_special(TokenId id) const override { return id == kControl || id == kEos; }
  std::string decode(std::span<const TokenId>, bool) const override { return {}; }
  const TokenizerSpec& spec() const override { return spec_; }
  int32_t vocab_size() const override { return static_cast<int32_t>(tokens_.size()); }

 private:
  TokenizerSpec spec_;
  std::vector<std::string> tokens_;
};

// A compiler on that vocabulary.
struct GrammarFixture {
  explicit GrammarFixture(const GrammarCompilerOptions& options = {})
      : compiler(tokenizer, {ByteTokenizer::kEos}, options, metrics) {}

  // The compiled grammar; fails the test if there is none.
  std::shared_ptr<const CompiledGrammar> compile(GrammarKind kind, std::string text);
  std::shared_ptr<const CompiledGrammar> schema(std::string text) {
    return compile(GrammarKind::kJsonSchema, std::move(text));
  }
  std::string error(GrammarKind kind, std::string text);

  ByteTokenizer tokenizer;
  MetricsRegistry metrics{""};
  GrammarCompiler compiler;
};

// Whether the text, byte by byte, is a whole output of the grammar.
bool accepts(const std::shared_ptr<const CompiledGrammar>& grammar, std::string_view text);

// An output drawn from the grammar, each token alike among those that may come next; none if it has not
// ended after so many tokens.
std::optional<std::string> draw(const GrammarFixture& fixture,
                                const std::shared_ptr<const CompiledGrammar>& grammar, uint64_t seed,
                                int32_t max_tokens);

}  // namespace quire
