#include "tokenizer/special_tokens.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace quire {
namespace {

TEST(SpecialTokens, LeftmostThenLongest) {
  SpecialTokens special;
  EXPECT_TRUE(special.add("<a>", 1));
  EXPECT_TRUE(special.add("<a><b>", 2));
  EXPECT_TRUE(special.add("<a", 3));
  EXPECT_TRUE(special.add("b>", 4));
  EXPECT_FALSE(special.add("<a>", 5));
  const std::string_view text = "x<a><b>y<a<a><";
  const auto first = special.find(text, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->begin, 1u);
  EXPECT_EQ(first->length, 6u);
  EXPECT_EQ(first->id, 2);
  const auto second = special.find(text, 7);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->begin, 8u);
  EXPECT_EQ(second->id, 3);
  const auto third = special.find(text, 10);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->begin, 10u);
  EXPECT_EQ(third->id, 1);
  EXPECT_FALSE(special.find(text, 13));
  EXPECT_FALSE(special.find(text, text.size()));
  EXPECT_EQ(special.find(text, 2)->id, 4);  // what lies before `from` takes no part
  EXPECT_EQ(special.find("<a><b", 0)->length, 3u);
}

TEST(SpecialTokens, NoneFindNothing) {
  const SpecialTokens special;
  EXPECT_FALSE(special.find("anything", 0));
  EXPECT_FALSE(special.find("", 0));
}

// Compared with trying every spelling at every place.
RC_GTEST_PROP(SpecialTokens, AgreesWithTryingAll, (uint64_t seed)) {
  Rng rng(seed);
  const auto random_string = [&](size_t max) {
    std::string s(1 + rng.below(max), 'a');
    for (char& c : s) c = "ab<\xFF"[rng.below(4)];
    return s;
  };
  SpecialTokens special;
  std::vector<std::string> spellings;
  for (int i = 0; i < 6; ++i) {
    std::string spelling = random_string(4);
    if (special.add(spelling, static_cast<TokenId>(spellings.size()))) spellings.push_back(spelling);
  }
  const std::string text = random_string(40);
  for (size_t from = 0; from <= text.size(); ++from) {
    size_t begin = from, length = 0;
    TokenId id = -1;
    for (; begin < text.size() && length == 0; begin += length == 0) {
      for (size_t i = 0; i < spellings.size(); ++i) {
        if (text.compare(begin, spellings[i].size(), spellings[i]) == 0 && spellings[i].size() > length) {
          length = spellings[i].size();
          id = static_cast<TokenId>(i);
        }
      }
    }
    const auto match = special.find(text, from);
    RC_ASSERT(match.has_value() == (length > 0));
    if (!match) continue;
    RC_ASSERT(match->begin == begin);
    RC_ASSERT(match->length == length);
    RC_ASSERT(match->id == id);
  }
}

}  // namespace
}  // namespace quire
