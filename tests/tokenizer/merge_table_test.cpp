#include "tokenizer/merge_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "tests/tokenizer/byte_level_spec.h"

namespace quire {
namespace {

struct Bpe {
  Vocabulary vocabulary;
  MergeTable merges;

  explicit Bpe(const TokenizerSpec& spec)
      : vocabulary(*Vocabulary::create(spec.tokens, spec.types)),
        merges(*MergeTable::create(spec.merges, vocabulary)) {}

  std::vector<std::string> pieces(std::string_view word) const {
    std::vector<TokenId> ids;
    merges.encode_word(word, vocabulary, ids);
    std::vector<std::string> pieces;
    for (const TokenId id : ids) pieces.emplace_back(vocabulary.bytes(id));
    return pieces;
  }
};

using Merges = std::vector<std::pair<std::string, std::string>>;
using Pieces = std::vector<std::string>;

// The definition itself: over and over, the first of the pairs with the lowest rank becomes one.
Pieces naive_merge(std::string_view word, const Merges& merges) {
  Pieces pieces;
  for (const char c : word) pieces.emplace_back(1, c);
  for (;;) {
    size_t best_rank = merges.size(), best = 0;
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].first == pieces[i] && merges[rank].second == pieces[i + 1])
          best_rank = rank, best = i;
      }
    }
    if (best_rank == merges.size()) return pieces;
    pieces[best] += pieces[best + 1];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(MergeTable, LowestRankThenLeftmost) {
  const Bpe bpe(byte_level_spec("gpt-2", {{"b", "c"}, {"a", "b"}, {"a", "a"}, {"aa", "a"}, {"bc", "d"}}));
  EXPECT_EQ(bpe.pieces("abcd"), (Pieces{"a", "bcd"}));
  EXPECT_EQ(bpe.pieces("abab"), (Pieces{"ab", "ab"}));
  EXPECT_EQ(bpe.pieces("aaa"), (Pieces{"aaa"}));
  EXPECT_EQ(bpe.pieces("aaaaa"), (Pieces{"aa", "aaa"}));
  EXPECT_EQ(bpe.pieces(""), Pieces{});
  EXPECT_EQ(bpe.pieces("x"), Pieces{"x"});
}

TEST(MergeTable, WithoutMergesEveryByteStandsAlone) {
  const Bpe bpe(byte_level_spec("gpt-2"));
  EXPECT_EQ(bpe.pieces("abc").size(), 3u);
  EXPECT_EQ(bpe.pieces(std::string(100, 'a')).size(), 100u);
}

TEST(MergeTable, BytesWithoutATokenAreLeftOut) {
  TokenizerSpec spec;
  spec.tokens = {"a", "b", "ab"};
  spec.merges = {"a b"};
  const Bpe bpe(spec);
  EXPECT_EQ(bpe.pieces("a?b"), Pieces{"ab"});
  EXPECT_EQ(bpe.pieces("???"), Pieces{});
  EXPECT_EQ(bpe.pieces(std::string(50, '?')), Pieces{});
  EXPECT_EQ(bpe.pieces(std::string(50, '?') + "ab"), Pieces{"ab"});
}

// Both ways of merging (few symbols and many) against the definition.
RC_GTEST_PROP(MergeTable, AgreesWithTheDefinition, (uint64_t seed)) {
  Rng rng(seed);
  Merges merges;
  Pieces known = {"a", "b", "c"};
  for (uint64_t left = rng.below(20); left > 0; --left) {
    const std::pair<std::string, std::string> merge(known[rng.below(known.size())],
                                                    known[rng.below(known.size())]);
    if (std::find(merges.begin(), merges.end(), merge) != merges.end()) continue;
    merges.push_back(merge);
    known.push_back(merge.first + merge.second);
  }
  // In any order: a merge of results may well come before the merges that lead to them.
  for (size_t i = merges.size(); i > 1; --i) std::swap(merges[i - 1], merges[rng.below(i)]);
  const Bpe bpe(byte_level_spec("gpt-2", merges));
  for (const size_t length : {rng.below(12), 25 + rng.below(15), 60 + rng.below(200)}) {
    std::string word(length, 'a');
    for (char& c : word) c = static_cast<char>('a' + rng.below(3));
    RC_ASSERT(bpe.pieces(word) == naive_merge(word, merges));
  }
}

// Two million bytes: quadratic merging would take an hour.
TEST(MergeTable, LongWordsAreNotQuadratic) {
  Merges merges;
  for (std::string run = "a"; run.size() < 64; run += run) merges.emplace_back(run, run);
  const Bpe bpe(byte_level_spec("gpt-2", merges));
  const std::string word(2 * kMaxWordBytes + 1, 'a');
  const Pieces pieces = bpe.pieces(word);
  ASSERT_EQ(pieces.size(), word.size() / 64 + 1);
  for (size_t i = 0; i + 1 < pieces.size(); ++i) ASSERT_EQ(pieces[i].size(), 64u);
  EXPECT_EQ(pieces.back(), "a");
}

TEST(MergeTable, MalformedMergesAreCorrupt) {
  const TokenizerSpec spec = byte_level_spec("gpt-2", {{"a", "b"}}, {"xy"});
  const auto vocabulary = Vocabulary::create(spec.tokens, spec.types);
  ASSERT_TRUE(vocabulary);
  const std::vector<std::vector<std::string>> bad = {
      {"ab"},       {""},           {" "},   {" a"},  {"a "},     {"a  b"},  {"a b c"},
      {"a \u4E2D"}, {"a b", "a b"}, {"a c"}, {"x y"}, {"a \xFF"}, {"zzz a"}, {std::string("a\0b", 3)},
  };
  for (const auto& merges : bad) {
    const auto table = MergeTable::create(merges, *vocabulary);
    ASSERT_FALSE(table) << merges[0];
    EXPECT_EQ(table.error().code, ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace quire
