#include "engine/stop_strings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace quire {
namespace {

TEST(StopStrings, LeavesOutWhatNoTextContains) {
  const StopStrings strings(std::vector<std::string>{"", "ok", "\x80", "\xE4\xB8"});
  ASSERT_EQ(strings.size(), 1u);
  EXPECT_EQ(strings[0], "ok");
  EXPECT_TRUE(StopStrings({}).empty());
}

TEST(StopStrings, FirstCompleteThenLongest) {
  const StopStrings strings(std::vector<std::string>{"c", "bc", "abcd", "bcx"});
  StopMatcher matcher(strings);
  const auto match = matcher.push("xabcd", true);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->index, 1u);
  EXPECT_EQ(match->end, 4u);
}

TEST(StopStrings, FindsAcrossPiecesAndHoldsWhatMayMatch) {
  const StopStrings strings(std::vector<std::string>{"aab", "</s>"});
  StopMatcher matcher(strings);
  EXPECT_FALSE(matcher.push("xaa", true));
  EXPECT_EQ(matcher.held_bytes(), 2u);
  EXPECT_FALSE(matcher.push("a", true));
  EXPECT_EQ(matcher.held_bytes(), 2u);
  EXPECT_FALSE(matcher.push("<", true));
  EXPECT_EQ(matcher.held_bytes(), 1u);
  EXPECT_FALSE(matcher.push("", true));
  EXPECT_FALSE(matcher.push("<", true));
  EXPECT_EQ(matcher.held_bytes(), 1u);
  EXPECT_FALSE(matcher.push("x", true));
  EXPECT_EQ(matcher.held_bytes(), 0u);
  EXPECT_FALSE(matcher.push("</", true));
  const auto match = matcher.push("s>rest", true);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->index, 1u);
  EXPECT_EQ(match->end, 2u);
}

TEST(StopStrings, WhatMayNotEndIsPassedOver) {
  const StopStrings strings(std::vector<std::string>{"aa"});
  StopMatcher matcher(strings);
  EXPECT_FALSE(matcher.push("aaa", false));
  EXPECT_EQ(matcher.held_bytes(), 1u);
  const auto match = matcher.push("a", true);  // it may start in what was passed over
  ASSERT_TRUE(match);
  EXPECT_EQ(match->end, 1u);
}

// A million bytes against a stop string that almost matches at every place.
TEST(StopStrings, RepetitiveStringsAreNotQuadratic) {
  const StopStrings strings(std::vector<std::string>{std::string(500'000, 'a') + "b"});
  StopMatcher matcher(strings);
  EXPECT_FALSE(matcher.push(std::string(1'000'000, 'a'), true));
  EXPECT_EQ(matcher.held_bytes(), 500'000u);
  EXPECT_TRUE(matcher.push("b", true));
}

// However the text is cut, the match is the one that looking at every end of the whole text finds.
RC_GTEST_PROP(StopStrings, AgreesWithLookingAtEveryEnd, (uint64_t seed)) {
  Rng rng(seed);
  const auto random_string = [&](size_t min, size_t max) {
    std::string s(min + rng.below(max - min + 1), 'a');
    for (char& c : s) c = static_cast<char>('a' + rng.below(2));
    return s;
  };
  std::vector<std::string> list(1 + rng.below(4));
  for (std::string& string : list) string = random_string(1, 6);
  const std::string text = random_string(0, 40);
  const StopStrings strings(list);
  StopMatcher matcher(strings);
  size_t at = 0;
  std::optional<StopMatcher::Match> found;
  while (at < text.size() && !found) {
    const std::string piece = text.substr(at, rng.below(5));
    found = matcher.push(piece, true);
    at += found ? found->end : piece.size();
    size_t may_match = 0;
    for (const std::string& string : list) {
      for (size_t k = 1; k < string.size(); ++k) {
        if (k <= at && text.compare(at - k, k, string, 0, k) == 0) may_match = std::max(may_match, k);
      }
    }
    if (!found) RC_ASSERT(matcher.held_bytes() == may_match);
  }
  for (size_t end = 1; end <= text.size(); ++end) {
    std::string longest;
    for (const std::string& string : list) {
      if (text.substr(0, end).ends_with(string) && string.size() > longest.size()) longest = string;
    }
    if (longest.empty()) continue;
    RC_ASSERT(found.has_value());
    RC_ASSERT(at == end);
    RC_ASSERT(strings[found->index] == longest);
    return;
  }
  RC_ASSERT(!found.has_value());
}

}  // namespace
}  // namespace quire
