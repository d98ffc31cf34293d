#include "tokenizer/bpe_tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "tests/tokenizer/byte_level_spec.h"
#include "tests/tokenizer/random_text.h"

namespace quire {
namespace {

using Ids = std::vector<TokenId>;

std::unique_ptr<Tokenizer> make(TokenizerSpec spec) {
  auto tokenizer = Tokenizer::create(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

// Bytes, "th", "the", " the", "ing", and control tokens of which one starts another.
TokenizerSpec english(std::string_view pre_tokenizer) {
  return byte_level_spec(pre_tokenizer,
                         {{"t", "h"}, {"th", "e"}, {" ", "the"}, {"i", "n"}, {"in", "g"}, {"<", "|"}},
                         {"<|end|>", "<|end|><|end|>", "<|start|>"});
}

std::string bytes_of(const Tokenizer& tokenizer, const Ids& ids) {
  std::string bytes;
  for (const TokenId id : ids) bytes += tokenizer.token_bytes(id);
  return bytes;
}

constexpr std::string_view kRules[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};

TEST(BpeTokenizer, MergesWithinWords) {
  const auto tokenizer = make(english("gpt-2"));
  const TokenId the = 257, space_the = 258, ing = 260;
  EXPECT_EQ(tokenizer->encode("the thing", false), (Ids{the, ' ', 256, ing}));
  EXPECT_EQ(tokenizer->encode("in the", false), (Ids{259, space_the}));
  EXPECT_EQ(tokenizer->encode("", false), Ids{});
  EXPECT_EQ(tokenizer->token_bytes(space_the), " the");
  EXPECT_EQ(tokenizer->vocab_size(), 265);
}

TEST(BpeTokenizer, SpecialTokensOnlyWhereAsked) {
  const auto tokenizer = make(english("gpt-2"));
  const TokenId end = 262, end_end = 263, start = 264;
  EXPECT_EQ(tokenizer->encode("a<|end|>b", true), (Ids{'a', end, 'b'}));
  EXPECT_EQ(tokenizer->encode("<|end|><|end|><|end|>", true), (Ids{end_end, end}));
  EXPECT_EQ(tokenizer->encode("<|end", true), (Ids{261, 'e', 'n', 'd'}));
  const Ids plain = tokenizer->encode("a<|end|>b<|start|>", false);
  for (const TokenId id : plain) EXPECT_FALSE(tokenizer->is_special(id));
  EXPECT_EQ(bytes_of(*tokenizer, plain), "a<|end|>b<|start|>");
  EXPECT_TRUE(tokenizer->is_special(start));
  EXPECT_FALSE(tokenizer->is_special(0));
  EXPECT_FALSE(tokenizer->is_special(-1));
  EXPECT_FALSE(tokenizer->is_special(265));
  EXPECT_EQ(tokenizer->token_bytes(265), "");
  EXPECT_EQ(tokenizer->token_bytes(-1), "");
}

TEST(BpeTokenizer, PartsAreOneText) {
  const auto tokenizer = make(english("gpt-2"));
  const TokenId the = 257, space_the = 258, end = 262;
  // A word grows together over the border.
  const TextPart joined[] = {{"a t", true}, {"h", false}, {"", true}, {"e", true}};
  EXPECT_EQ(tokenizer->encode_parts(joined), (Ids{'a', space_the}));
  // A user's spelling stays text, also where it touches the template's.
  const TextPart chat[] = {{"<|end|>t", true}, {"he<|end|>", false}, {"<|end|>", true}};
  Ids ids = {end, the};
  for (const TokenId id : tokenizer->encode("<|end|>", false)) ids.push_back(id);
  ids.push_back(end);
  EXPECT_EQ(tokenizer->encode_parts(chat), ids);
  // None is put together from two parts, not even from two that are both the template's.
  const TextPart torn[] = {{"<|en", true}, {"d|>", true}};
  EXPECT_EQ(tokenizer->encode_parts(torn), tokenizer->encode("<|end|>", false));
  const TextPart half[] = {{"<|end|", false}, {">", true}};
  EXPECT_EQ(tokenizer->encode_parts(half), tokenizer->encode("<|end|>", false));
  EXPECT_EQ(tokenizer->encode_parts({}), Ids{});
}

TEST(BpeTokenizer, UserDefinedTokensAreOrdinaryVocabulary) {
  TokenizerSpec spec = english("gpt-2");
  spec.tokens.push_back("<tool>");
  spec.types.push_back(TokenType::kUserDefined);
  spec.tokens.push_back("\u00E9");  // spelled as it is, not in the byte alphabet
  spec.types.push_back(TokenType::kUserDefined);
  const auto tokenizer = make(std::move(spec));
  EXPECT_EQ(tokenizer->encode("a<tool>\u00E9", false), (Ids{'a', 265, 266}));
  EXPECT_EQ(tokenizer->encode("a<tool>\u00E9", true), (Ids{'a', 265, 266}));
  EXPECT_FALSE(tokenizer->is_special(265));
  EXPECT_EQ(tokenizer->token_bytes(266), "\u00E9");
}

// "abc" is a token that no merges lead to: only llama-bpe takes it as it is.
TEST(BpeTokenizer, WholeWordsByRuleSet) {
  for (const std::string_view rules : kRules) {
    TokenizerSpec spec = byte_level_spec(rules, {{"a", "b"}});
    spec.tokens.push_back("abc");
    spec.types.push_back(TokenType::kNormal);
    const auto tokenizer = make(std::move(spec));
    EXPECT_EQ(tokenizer->encode("abc", false), rules == "llama-bpe" ? (Ids{257}) : (Ids{256, 'c'}))
        << rules;
  }
}

TEST(BpeTokenizer, AMillionLettersAreEncodedInTime) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::string run = "a"; run.size() < 16; run += run) merges.emplace_back(run, run);
  for (const std::string_view rules : kRules) {
    const auto tokenizer = make(byte_level_spec(rules, merges, {"aaa<"}));
    EXPECT_EQ(tokenizer->encode(std::string(1'000'000, 'a'), true).size(), 62'500u);
    EXPECT_EQ(tokenizer->encode(std::string(100'000, ' '), true).size(), 100'000u);
    EXPECT_EQ(tokenizer->encode(std::string(100'000, '1'), true).size(), 100'000u);
  }
}

RC_GTEST_PROP(BpeTokenizer, IdsAreTheTextAgain, (uint64_t seed)) {
  const std::string text = random_text(seed, 40);
  for (const std::string_view rules : kRules) {
    const auto tokenizer = make(english(rules));
    for (const bool parse_special : {false, true}) {
      const Ids ids = tokenizer->encode(text, parse_special);
      RC_ASSERT(bytes_of(*tokenizer, ids) == text);
      RC_ASSERT(tokenizer->decode(ids, false) == replace_invalid_utf8(text));
    }
  }
}

// However a text is cut into parts, parts that are all a user's are the text; and special tokens come
// exactly where a part with parse_special spells one.
RC_GTEST_PROP(BpeTokenizer, PartsRecognizeWhatTheySpell, (uint64_t seed)) {
  static const auto tokenizer = make(english("smollm"));
  Rng rng(seed);
  std::vector<std::string> texts(1 + rng.below(5));
  for (std::string& text : texts) text = random_text(rng(), 8);
  std::vector<TextPart> parts, user_parts;
  std::string whole;
  size_t expected_specials = 0;
  for (const std::string& text : texts) {
    parts.push_back({text, rng.below(2) == 0});
    user_parts.push_back({text, false});
    whole += text;
    if (!parts.back().parse_special) continue;
    for (const TokenId id : tokenizer->encode(text, true)) expected_specials += tokenizer->is_special(id);
  }
  RC_ASSERT(tokenizer->encode_parts(user_parts) == tokenizer->encode(whole, false));
  const Ids ids = tokenizer->encode_parts(parts);
  RC_ASSERT(bytes_of(*tokenizer, ids) == whole);
  size_t specials = 0;
  for (const TokenId id : ids) specials += tokenizer->is_special(id);
  RC_ASSERT(specials == expected_specials);
}

TEST(BpeTokenizer, ServesManyThreads) {
  const auto tokenizer = make(english("llama-bpe"));
  const std::string text = random_text(7, 500);
  const Ids expected = tokenizer->encode(text, true);
  std::vector<std::thread> threads;
  std::vector<int> equal(4);
  for (int& count : equal) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) count += tokenizer->encode(text, true) == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 20));
}

TEST(BpeTokenizer, ContradictorySpecsAreErrors) {
  const auto code_of = [](TokenizerSpec spec) {
    const auto tokenizer = Tokenizer::create(std::move(spec));
    return tokenizer ? ErrorCode::kInternal : tokenizer.error().code;
  };
  TokenizerSpec spec = english("gpt-2");
  spec.pre_tokenizer = "unheard-of";
  const auto unsupported = Tokenizer::create(spec);
  ASSERT_FALSE(unsupported);
  EXPECT_EQ(unsupported.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(unsupported.error().message.find("smollm"), std::string::npos);
  spec = english("gpt-2");
  spec.types.pop_back();
  EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
  spec = english("gpt-2");
  spec.tokens.clear();
  spec.types.clear();
  EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
  for (const TokenId id : {-1, 265, 1 << 30}) {
    spec = english("gpt-2");
    spec.eos = id;
    EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
    spec.eos.reset();
    spec.padding = id;
    EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
  }
  spec = english("gpt-2");
  spec.tokens[264] = spec.tokens[262];
  EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
  spec = english("gpt-2");
  spec.tokens[264] = std::string(SpecialTokens::kMaxSpellingBytes + 1, 'x');
  EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
  spec = english("gpt-2");
  spec.merges[0] = "th";
  EXPECT_EQ(code_of(spec), ErrorCode::kCorrupt);
}

// A file may say anything: an error or a tokenizer, and then one that encodes any text.
RC_GTEST_PROP(BpeTokenizer, HostileSpecsNeverCrash, (uint64_t seed)) {
  Rng rng(seed);
  TokenizerSpec spec = english(kRules[rng.below(4)]);
  for (uint64_t left = 1 + rng.below(4); left > 0; --left) {
    const size_t token = rng.below(spec.tokens.size());
    switch (rng.below(5)) {
      case 0: spec.tokens[token] = random_text(rng(), 3); break;
      case 1: spec.types[token] = static_cast<TokenType>(rng.below(9)); break;
      case 2: spec.merges[rng.below(spec.merges.size())] = random_text(rng(), 3); break;
      case 3:
        spec.merges.push_back(spec.tokens[token] + " " + spec.tokens[rng.below(spec.tokens.size())]);
        break;
      default: spec.tokens[token].clear(); break;
    }
  }
  const auto tokenizer = Tokenizer::create(spec);
  if (!tokenizer) return;
  const std::string text = random_text(rng(), 30);
  for (const TokenId id : (*tokenizer)->encode(text, true)) {
    RC_ASSERT(id >= 0 && id < (*tokenizer)->vocab_size());
  }
}

}  // namespace
}  // namespace quire
