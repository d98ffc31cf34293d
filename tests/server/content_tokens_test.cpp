#include "server/generation/content_tokens.h"

#include <gtest/gtest.h>

#include <string>

#include "base/rng.h"

namespace quire {
namespace {

struct Piece {
  std::string text;  // that came with the tokens; what is held back comes with later ones
  std::vector<std::string> tokens;
};

// Which tokens are told to be the content's, in lines of what each call told.
class Choice {
 public:
  Choice() {
    spec_.tool_style = ToolStyle::kHermes;
    spec_.tools = {"f"};
    spec_.reasoning_style = ReasoningStyle::kMarked;
  }
  std::string told(const std::vector<Piece>& pieces) const {
    OutputParser parser(spec_);
    ContentTokens tokens;
    std::vector<std::string> names;
    int64_t offset = 0;
    std::string shown;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const bool ended = i + 1 == pieces.size();
      for (const std::string& token : pieces[i].tokens) {
        OutputToken added;
        added.id = static_cast<TokenId>(names.size());
        added.text_offset = offset;
        tokens.add({&added, 1});
        names.push_back(token);
        offset += std::ssize(token);
      }
      ParsedOutput parsed;
      parser.push(pieces[i].text, parsed);
      if (ended) parser.finish(parsed);
      std::vector<OutputToken> out;
      tokens.take(parsed.content_spans, parser, ended, out);
      for (const OutputToken& token : out) shown += "[" + names[static_cast<size_t>(token.id)] + "]";
      shown += ended ? "" : "\n";
    }
    return shown;
  }

 private:
  OutputSpec spec_;
};

TEST(ContentTokens, AreThoseOfTheText) {
  const Choice choice;
  EXPECT_EQ(choice.told({{"Well", {"Well"}}, {".", {"."}}, {"", {""}}}), "[Well]\n[.]\n[]");
  EXPECT_EQ(choice.told({{"<think>Hm.</think>\n\n Well", {"<think>", "Hm", ".</", "think>\n\n", " Well"}},
                         {"", {""}}}),
            "[ Well]\n[]");
  // A call and the white space at its sides are no content, nor is what ends the sequence behind it.
  const std::string call = R"(<tool_call>{"name": "f", "arguments": {}}</tool_call>)";
  EXPECT_EQ(choice.told({{"A", {"A"}}, {" \n" + call, {" \n", call}}, {"", {""}}}), "[A]\n\n");
  EXPECT_EQ(choice.told({{"A " + call + " B", {"A", " ", call, " B"}}, {"", {""}}}), "[A][ B]\n[]");
  // What only begins like one is.
  EXPECT_EQ(choice.told({{"A ", {"A", " "}}, {"<tool", {"<", "tool"}}, {"!", {"!"}}, {"", {}}}),
            "[A]\n\n[ ][<][tool][!]\n");
  EXPECT_EQ(choice.told({{"A ", {"A", " "}}, {"<tool", {"<", "tool"}}, {"", {""}}}),
            "[A]\n\n[ ][<][tool][]");
}

TEST(ContentTokens, ThoseWithoutTextGoWithWhatFollows) {
  const Choice choice;
  EXPECT_EQ(choice.told({{"", {""}}, {"ab", {"ab"}}, {"", {}}}), "\n[][ab]\n");
  EXPECT_EQ(choice.told({{"", {""}}}), "[]");
  EXPECT_EQ(choice.told({{"<think>a", {"<think>", "a"}}, {"", {""}}}), "\n");
  // Text that is held back, as the start of a stop string is, and then is cut off.
  EXPECT_EQ(choice.told({{"a", {"a", "ST"}}, {"", {"OP"}}}), "[a]\n[ST][OP]");
}

// However they come, the same ones are told; together they have all of the content.
TEST(ContentTokens, PiecesMakeNoDifference) {
  const std::string words[] = {"A",
                               " ",
                               "\n",
                               "<think>",
                               "</think>",
                               "<tool_call>",
                               "</tool_call>",
                               "<",
                               R"({"name": "f", "arguments": {}})",
                               R"({"name": "f", "argu)",
                               "é",
                               ""};
  const Choice choice;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    Rng rng(seed);
    std::vector<Piece> each;
    Piece all;
    for (uint64_t left = rng.below(10); left > 0; --left) {
      const std::string& word = words[rng.below(std::size(words))];
      each.push_back({word, {word}});
      all.text += word;
      all.tokens.push_back(word);
    }
    each.push_back({"", {}});
    std::string told = choice.told(each);
    std::erase(told, '\n');
    std::string whole = choice.told({all});
    std::erase(whole, '\n');
    ASSERT_EQ(told, whole) << all.text;
    OutputSpec spec;
    spec.tool_style = ToolStyle::kHermes;
    spec.tools = {"f"};
    spec.reasoning_style = ReasoningStyle::kMarked;
    OutputParser parser(spec);
    ParsedOutput parsed;
    parser.push(all.text, parsed);
    parser.finish(parsed);
    std::string text = told;
    std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
    std::erase(parsed.content, '\n');
    ASSERT_EQ(text, parsed.content);  // words here are content whole, or not at all
  }
}

}  // namespace
}  // namespace quire
