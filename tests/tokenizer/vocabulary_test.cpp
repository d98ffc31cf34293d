#include "tokenizer/vocabulary.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

TEST(Vocabulary, AlphabetHasEveryByteOnce) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    std::string out = "x";
    ASSERT_TRUE(append_alphabet_bytes(in_alphabet(bytes), out)) << byte;
    EXPECT_EQ(out, "x" + bytes);
  }
  std::string out;
  EXPECT_TRUE(append_alphabet_bytes("\u0120the\u010A", out));  // as vocabularies of the kind spell it
  EXPECT_EQ(out, " the\n");
}

TEST(Vocabulary, WhatIsNotOfTheAlphabetIsRefused) {
  for (const std::string spelling : {"a b", "a\n", "\u0144", "\u4E2D", "ab\xC3", "\x80", "\u00AD"}) {
    std::string out = "kept";
    EXPECT_FALSE(append_alphabet_bytes(spelling, out)) << spelling;
    EXPECT_EQ(out, "kept");
  }
}

TEST(Vocabulary, FindsOrdinaryTokensByTheirBytes) {
  const std::vector<std::string> spellings = {"a",       "b",      "\u0120", "a\u0120b",
                                              "<|end|>", "\u00E9", "a b",    ""};
  const std::vector<TokenType> types = {TokenType::kNormal, TokenType::kNormal,  TokenType::kNormal,
                                        TokenType::kNormal, TokenType::kControl, TokenType::kUserDefined,
                                        TokenType::kUnused, TokenType::kNormal};
  const auto vocabulary = Vocabulary::create(spellings, types);
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->size(), 8);
  EXPECT_EQ(vocabulary->find("a"), 0);
  EXPECT_EQ(vocabulary->find(" "), 2);
  EXPECT_EQ(vocabulary->find("a b"), 3);
  EXPECT_EQ(vocabulary->find("<|end|>"), kNoToken);  // control tokens are no text
  EXPECT_EQ(vocabulary->find("c"), kNoToken);
  EXPECT_EQ(vocabulary->find(""), kNoToken);
  EXPECT_EQ(vocabulary->find(std::string(1000, 'a')), kNoToken);
  EXPECT_EQ(vocabulary->byte_token('b'), 1);
  EXPECT_EQ(vocabulary->byte_token('c'), kNoToken);
  EXPECT_EQ(vocabulary->bytes(3), "a b");
  EXPECT_EQ(vocabulary->bytes(4), "<|end|>");
  EXPECT_EQ(vocabulary->bytes(5), "\u00E9");  // added tokens are spelled as they are
  EXPECT_EQ(vocabulary->bytes(6), "a b");     // not of the alphabet: as it is
  EXPECT_EQ(vocabulary->bytes(7), "");
}

TEST(Vocabulary, FindsEveryTokenOfAFullTable) {
  std::vector<std::string> spellings;
  for (int i = 0; i < 5000; ++i) spellings.push_back(std::to_string(i * 7919));
  const auto vocabulary = Vocabulary::create(spellings, {});
  ASSERT_TRUE(vocabulary);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(vocabulary->find(spellings[i]), i);
}

TEST(Vocabulary, DuplicatesAndUnequalListsAreCorrupt) {
  const std::vector<std::string> twice = {"a", "b", "a"};
  const auto duplicate = Vocabulary::create(twice, {});
  ASSERT_FALSE(duplicate);
  EXPECT_EQ(duplicate.error().code, ErrorCode::kCorrupt);
  const std::vector<TokenType> types(2, TokenType::kNormal);
  const auto unequal = Vocabulary::create(std::vector<std::string>{"a", "b", "c"}, types);
  ASSERT_FALSE(unequal);
  EXPECT_EQ(unequal.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(Vocabulary::create({}, {}));
}

}  // namespace
}  // namespace quire
