#include "tests/grammar/grammar_fixture.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace quire {

ByteTokenizer::ByteTokenizer() {
  for (int byte = 0; byte < 256; ++byte) tokens_.emplace_back(1, static_cast<char>(byte));
  tokens_.emplace_back("<|control|>");
  tokens_.emplace_back("<|end|>");
  for (const char* text :
       {"{\"", "\":", "\": ", ", \"", "\"}", "true", "null", "12", "abc", "é", "\n  ", "]}"}) {
    tokens_.emplace_back(text);
  }
}

std::vector<TokenId> ByteTokenizer::encode(std::string_view text, bool) const {
  std::vector<TokenId> ids;
  for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
  return ids;
}

std::shared_ptr<const CompiledGrammar> GrammarFixture::compile(GrammarKind kind, std::string text) {
  auto compiled = compiler.compile({.kind = kind, .text = text, .field = "field"});
  EXPECT_TRUE(compiled) << text << ": " << compiled.error().message;
  return compiled ? *compiled : nullptr;
}

std::string GrammarFixture::error(GrammarKind kind, std::string text) {
  const auto compiled = compiler.compile({.kind = kind, .text = std::move(text), .field = "field"});
  if (compiled) return "";
  EXPECT_EQ(compiled.error().param, "field");
  return compiled.error().message;
}

bool accepts(const std::shared_ptr<const CompiledGrammar>& grammar, std::string_view text) {
  GrammarMatcher matcher(grammar);
  for (const char c : text) {
    if (!matcher.accept(static_cast<uint8_t>(c))) return false;
  }
  return matcher.accept(ByteTokenizer::kEos);
}

std::optional<std::string> draw(const GrammarFixture& fixture,
                                const std::shared_ptr<const CompiledGrammar>& grammar, uint64_t seed,
                                int32_t max_tokens) {
  GrammarMatcher matcher(grammar);
  TokenMask mask((static_cast<size_t>(grammar->vocab_size()) + 31) / 32);
  std::string text;
  for (int32_t step = 0; step < max_tokens; ++step) {
    matcher.fill(mask);
    std::vector<TokenId> allowed;
    for (TokenId id = 0; id < grammar->vocab_size(); ++id) {
      const bool half_a_character = id >= 0x80 && id < 0x100;  // what decoding would make U+FFFD
      if (allows(mask, id) && !half_a_character) allowed.push_back(id);
    }
    if (allowed.empty()) return std::nullopt;
    const uint64_t bits = random_bits(seed, static_cast<uint64_t>(step));
    TokenId token = allowed[bits % allowed.size()];
    // Towards an end, so that open-ended strings and lists come to one.
    if (allows(mask, ByteTokenizer::kEos)) token = ByteTokenizer::kEos;
    for (const char c : {'"', '}', ']'}) {
      if (allows(mask, static_cast<uint8_t>(c)) && (bits >> 32) % 3 == 0) token = static_cast<uint8_t>(c);
    }
    EXPECT_TRUE(matcher.accept(token));
    if (token == ByteTokenizer::kEos) return text;
    text += fixture.tokenizer.token_bytes(token);
  }
  return std::nullopt;
}

}  // namespace quire
