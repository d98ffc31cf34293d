#include "tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "tests/tokenizer/random_text.h"
#include "tokenizer/unicode_class.h"

namespace quire {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array<PreTokenizer, 4> kAllRules = {PreTokenizer::kGpt2, PreTokenizer::kSmollm,
                                                   PreTokenizer::kLlamaBpe, PreTokenizer::kQwen2};

std::vector<std::string_view> words_of(PreTokenizer rules, std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    words.push_back(text.substr(0, first_word_length(rules, text)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

// One text, cut by each of kAllRules; the words are joined by a broken bar. Golden: what Hugging Face's
// tokenizers and Python's regex module both make of it with the published expressions.
struct Cut {
  std::array<std::string_view, 4> words;
};

// clang-format off
constexpr Cut kCuts[] = {
    {{"Hello¦,¦ world¦!"sv,
     "Hello¦,¦ world¦!"sv,
     "Hello¦,¦ world¦!"sv,
     "Hello¦,¦ world¦!"sv}},
    {{"I¦'ll¦ say¦ it¦'s¦ what¦ THEY¦'¦RE¦ SURE¦'¦LL¦ do¦,¦ don¦'t¦ we¦'¦Ve"sv,
     "I¦'ll¦ say¦ it¦'s¦ what¦ THEY¦'¦RE¦ SURE¦'¦LL¦ do¦,¦ don¦'t¦ we¦'¦Ve"sv,
     "I¦'ll¦ say¦ it¦'s¦ what¦ THEY¦'RE¦ SURE¦'LL¦ do¦,¦ don¦'t¦ we¦'Ve"sv,
     "I¦'ll¦ say¦ it¦'s¦ what¦ THEY¦'RE¦ SURE¦'LL¦ do¦,¦ don¦'t¦ we¦'Ve"sv}},
    {{"'s¦a¦ ''¦t¦ '¦x¦ '¦S¦'m¦'¦D¦'¦ſs¦ x¦'¦lL¦ '¦l"sv,
     "'s¦a¦ ''¦t¦ '¦x¦ '¦S¦'m¦'¦D¦'¦ſs¦ x¦'¦lL¦ '¦l"sv,
     "'s¦a¦ ''¦t¦ '¦x¦ '¦S¦'m¦'D¦'ſ¦s¦ x¦'lL¦ '¦l"sv,
     "'s¦a¦ ''¦t¦ '¦x¦ '¦S¦'m¦'D¦'ſ¦s¦ x¦'lL¦ '¦l"sv}},
    {{"a¦1¦b¦22¦c¦333¦d¦4444¦ 55555"sv,
     "a¦1¦b¦2¦2¦c¦3¦3¦3¦d¦4¦4¦4¦4¦ ¦5¦5¦5¦5¦5"sv,
     "a¦1¦b¦22¦c¦333¦d¦444¦4¦ ¦555¦55"sv,
     "a¦1¦b¦2¦2¦c¦3¦3¦3¦d¦4¦4¦4¦4¦ ¦5¦5¦5¦5¦5"sv}},
    {{"x¦ ¦ y¦  ¦ z¦    "sv,
     "x¦ ¦ y¦  ¦ z¦    "sv,
     "x¦ ¦ y¦  ¦ z¦    "sv,
     "x¦ ¦ y¦  ¦ z¦    "sv}},
    {{"   "sv,
     "   "sv,
     "   "sv,
     "   "sv}},
    {{" ¦ 7¦ ¦ 8¦  ¦ ٣٤¦ ¦ ½"sv,
     "  ¦7¦  ¦8¦   ¦٣¦٤¦  ¦½"sv,
     " ¦ ¦7¦ ¦ ¦8¦  ¦ ¦٣٤¦ ¦ ¦½"sv,
     " ¦ ¦7¦ ¦ ¦8¦  ¦ ¦٣¦٤¦ ¦ ¦½"sv}},
    {{"line¦\n¦next¦\n\n ¦ two¦\n \n¦\t¦three¦\r\n\r¦\n¦four¦\n"sv,
     "line¦\n¦next¦\n\n ¦ two¦\n \n¦\t¦three¦\r\n\r¦\n¦four¦\n"sv,
     "line¦\n¦next¦\n\n¦ ¦ two¦\n \n¦\tthree¦\r\n\r\n¦four¦\n"sv,
     "line¦\n¦next¦\n\n¦ ¦ two¦\n \n¦\tthree¦\r\n\r\n¦four¦\n"sv}},
    {{"end¦  \n"sv,
     "end¦  \n"sv,
     "end¦  \n"sv,
     "end¦  \n"sv}},
    {{"\t¦\t¦if¦ (¦x¦ ==¦ 10¦):¦\n\t\t¦\t¦return¦ -¦1¦;¦\n"sv,
     "\t¦\t¦if¦ (¦x¦ ==¦ ¦1¦0¦):¦\n\t\t¦\t¦return¦ -¦1¦;¦\n"sv,
     "\t¦\tif¦ (¦x¦ ==¦ ¦10¦):\n¦\t\t¦\treturn¦ -¦1¦;\n"sv,
     "\t¦\tif¦ (¦x¦ ==¦ ¦1¦0¦):\n¦\t\t¦\treturn¦ -¦1¦;\n"sv}},
    {{"!¦hello¦ !!¦hello¦ (¦word¦)¦ ...¦\n¦\n¦$$$¦\r¦\n¦x"sv,
     "!¦hello¦ !!¦hello¦ (¦word¦)¦ ...¦\n¦\n¦$$$¦\r¦\n¦x"sv,
     "!hello¦ !!¦hello¦ (¦word¦)¦ ...\n\n¦$$$\r\n¦x"sv,
     "!hello¦ !!¦hello¦ (¦word¦)¦ ...\n\n¦$$$\r\n¦x"sv}},
    {{" ¦\u00A0¦nbsp¦\u00A0¦\u00A0¦x¦\u3000¦y¦\u3000¦ z¦\u2028¦w¦\302\205¦v¦\u200B¦q"sv,
     " ¦\u00A0¦nbsp¦\u00A0¦\u00A0¦x¦\u3000¦y¦\u3000¦ z¦\u2028¦w¦\302\205¦v¦\u200B¦q"sv,
     " ¦\u00A0nbsp¦\u00A0¦\u00A0x¦\u3000y¦\u3000¦ z¦\u2028w¦\302\205v¦\u200Bq"sv,
     " ¦\u00A0nbsp¦\u00A0¦\u00A0x¦\u3000y¦\u3000¦ z¦\u2028w¦\302\205v¦\u200Bq"sv}},
    {{"北京大学¦2024¦年¦ 東京タワー"sv,
     "北京大学¦2¦0¦2¦4¦年¦ 東京タワー"sv,
     "北京大学¦202¦4¦年¦ 東京タワー"sv,
     "北京大学¦2¦0¦2¦4¦年¦ 東京タワー"sv}},
    {{"お寿司が好き¦。¦Привет¦,¦ МИР¦!¦ ǅ"sv,
     "お寿司が好き¦。¦Привет¦,¦ МИР¦!¦ ǅ"sv,
     "お寿司が好き¦。Привет¦,¦ МИР¦!¦ ǅ"sv,
     "お寿司が好き¦。Привет¦,¦ МИР¦!¦ ǅ"sv}},
    {{"a¦\u0301¦e¦\u0308¦ n¦\u0303¦ x¦\u0301\u0301¦y"sv,
     "a¦\u0301¦e¦\u0308¦ n¦\u0303¦ x¦\u0301\u0301¦y"sv,
     "a¦\u0301e¦\u0308¦ n¦\u0303¦ x¦\u0301\u0301¦y"sv,
     "a¦\u0301e¦\u0308¦ n¦\u0303¦ x¦\u0301\u0301¦y"sv}},
    {{"ह¦\u093F¦न¦\u094D¦द¦\u0940¦ म¦\u0947\u0902¦ ١٢٣¦ शब¦\u094D¦द"sv,
     "ह¦\u093F¦न¦\u094D¦द¦\u0940¦ म¦\u0947\u0902¦ ¦١¦٢¦٣¦ शब¦\u094D¦द"sv,
     "ह¦\u093Fन¦\u094Dद¦\u0940¦ म¦\u0947\u0902¦ ¦١٢٣¦ शब¦\u094Dद"sv,
     "ह¦\u093Fन¦\u094Dद¦\u0940¦ म¦\u0947\u0902¦ ¦١¦٢¦٣¦ शब¦\u094Dद"sv}},
    {{"emoji¦🙂🙃¦ 👩\u200D👧¦ x¦🇷🇺¦y"sv,
     "emoji¦🙂🙃¦ 👩\u200D👧¦ x¦🇷🇺¦y"sv,
     "emoji¦🙂🙃¦ 👩\u200D👧¦ x¦🇷🇺¦y"sv,
     "emoji¦🙂🙃¦ 👩\u200D👧¦ x¦🇷🇺¦y"sv}},
    {{"Ⅷ²㊿𝟗𝟘¦ 10½¦kg"sv,
     "Ⅷ¦²¦㊿¦𝟗¦𝟘¦ ¦1¦0¦½¦kg"sv,
     "Ⅷ²㊿¦𝟗𝟘¦ ¦10½¦kg"sv,
     "Ⅷ¦²¦㊿¦𝟗¦𝟘¦ ¦1¦0¦½¦kg"sv}},
    {{"𝔘𝔫𝔦code¦ 𠀀𠀁¦ ﬁn¦ ªº"sv,
     "𝔘𝔫𝔦code¦ 𠀀𠀁¦ ﬁn¦ ªº"sv,
     "𝔘𝔫𝔦code¦ 𠀀𠀁¦ ﬁn¦ ªº"sv,
     "𝔘𝔫𝔦code¦ 𠀀𠀁¦ ﬁn¦ ªº"sv}},
    {{"$¦1¦,¦234¦.¦56¦ 3¦.¦14159¦e¦-¦10"sv,
     "$¦1¦,¦2¦3¦4¦.¦5¦6¦ ¦3¦.¦1¦4¦1¦5¦9¦e¦-¦1¦0"sv,
     "$¦1¦,¦234¦.¦56¦ ¦3¦.¦141¦59¦e¦-¦10"sv,
     "$¦1¦,¦2¦3¦4¦.¦5¦6¦ ¦3¦.¦1¦4¦1¦5¦9¦e¦-¦1¦0"sv}},
    {{"foo¦_¦bar¦-¦baz¦@¦qux¦.¦com¦ http¦://¦a¦.¦b¦/¦c¦?¦d¦=¦e¦&¦f¦=¦1"sv,
     "foo¦_¦bar¦-¦baz¦@¦qux¦.¦com¦ http¦://¦a¦.¦b¦/¦c¦?¦d¦=¦e¦&¦f¦=¦1"sv,
     "foo¦_bar¦-baz¦@qux¦.com¦ http¦://¦a¦.b¦/c¦?d¦=e¦&f¦=¦1"sv,
     "foo¦_bar¦-baz¦@qux¦.com¦ http¦://¦a¦.b¦/c¦?d¦=e¦&f¦=¦1"sv}},
    {{"<|¦im¦_¦start¦|>¦user¦\n¦<|¦im¦_¦end¦|>"sv,
     "<|¦im¦_¦start¦|>¦user¦\n¦<|¦im¦_¦end¦|>"sv,
     "<|¦im¦_start¦|>¦user¦\n¦<|¦im¦_end¦|>"sv,
     "<|¦im¦_start¦|>¦user¦\n¦<|¦im¦_end¦|>"sv}},
    {{"a¦\000¦b¦\001\177\034¦c¦\037¦ d"sv,
     "a¦\000¦b¦\001\177\034¦c¦\037¦ d"sv,
     "a¦\000b¦\001\177\034¦c¦\037¦ d"sv,
     "a¦\000b¦\001\177\034¦c¦\037¦ d"sv}},
    {{"\uFEFF¦BOM¦ ��¦ e¦\u200D"sv,
     "\uFEFF¦BOM¦ ��¦ e¦\u200D"sv,
     "\uFEFFBOM¦ ��¦ e¦\u200D"sv,
     "\uFEFFBOM¦ ��¦ e¦\u200D"sv}},
    {{" ¦ lead¦\n  ¦ more"sv,
     " ¦ lead¦\n  ¦ more"sv,
     " ¦ lead¦\n¦  ¦ more"sv,
     " ¦ lead¦\n¦  ¦ more"sv}},
    {{" \n \n¦ a"sv,
     " \n \n¦ a"sv,
     " \n \n¦ a"sv,
     " \n \n¦ a"sv}},
    {{"\r\r\n\n\r¦ a"sv,
     "\r\r\n\n\r¦ a"sv,
     "\r\r\n\n\r¦ a"sv,
     "\r\r\n\n\r¦ a"sv}},
    {{"x¦\n\n¦\n¦y¦ !¦\n\n¦ z"sv,
     "x¦\n\n¦\n¦y¦ !¦\n\n¦ z"sv,
     "x¦\n\n\n¦y¦ !\n\n¦ z"sv,
     "x¦\n\n\n¦y¦ !\n\n¦ z"sv}},
    {{"1¦'¦2¦'s¦ '¦3¦ 4¦'ll"sv,
     "1¦'¦2¦'s¦ '¦3¦ ¦4¦'ll"sv,
     "1¦'¦2¦'s¦ '¦3¦ ¦4¦'ll"sv,
     "1¦'¦2¦'s¦ '¦3¦ ¦4¦'ll"sv}},
    {{"ʰmod¦ ꙮ¦ \u0308¦lone¦ ع¦\u064E¦ر¦\u064E¦ب¦\u0650¦ي"sv,
     "ʰmod¦ ꙮ¦ \u0308¦lone¦ ع¦\u064E¦ر¦\u064E¦ب¦\u0650¦ي"sv,
     "ʰmod¦ ꙮ¦ \u0308¦lone¦ ع¦\u064Eر¦\u064Eب¦\u0650ي"sv,
     "ʰmod¦ ꙮ¦ \u0308¦lone¦ ع¦\u064Eر¦\u064Eب¦\u0650ي"sv}},
};
// clang-format on

TEST(PreTokenizer, CutsAsTheReferenceDoes) {
  constexpr std::string_view kBar = "\u00A6";
  for (const Cut& cut : kCuts) {
    for (size_t i = 0; i < kAllRules.size(); ++i) {
      std::string text;
      std::vector<std::string> expected(1);
      for (std::string_view rest = cut.words[i]; !rest.empty();) {
        if (rest.starts_with(kBar)) {
          expected.emplace_back();
          rest.remove_prefix(kBar.size());
          continue;
        }
        expected.back().push_back(rest[0]);
        text.push_back(rest[0]);
        rest.remove_prefix(1);
      }
      const auto words = words_of(kAllRules[i], text);
      EXPECT_EQ(std::vector<std::string>(words.begin(), words.end()), expected)
          << "rules " << i << ": " << text;
    }
  }
}

TEST(PreTokenizer, KnowsTheNamesOfGguf) {
  EXPECT_EQ(find_pre_tokenizer("gpt-2"), PreTokenizer::kGpt2);
  EXPECT_EQ(find_pre_tokenizer("smollm"), PreTokenizer::kSmollm);
  EXPECT_EQ(find_pre_tokenizer("llama-bpe"), PreTokenizer::kLlamaBpe);
  EXPECT_EQ(find_pre_tokenizer("llama3"), PreTokenizer::kLlamaBpe);
  EXPECT_EQ(find_pre_tokenizer("qwen2"), PreTokenizer::kQwen2);
  EXPECT_EQ(find_pre_tokenizer(""), std::nullopt);
  EXPECT_EQ(find_pre_tokenizer("default"), std::nullopt);
}

TEST(PreTokenizer, LongRunsAreOneWord) {
  const size_t length = 1 << 20;
  for (const PreTokenizer rules : kAllRules) {
    EXPECT_EQ(first_word_length(rules, std::string(length, 'a')), length);
    EXPECT_EQ(first_word_length(rules, std::string(length, ' ')), length);
    EXPECT_EQ(first_word_length(rules, std::string(length, '!')), length);
    EXPECT_EQ(words_of(rules, std::string(length, ' ') + "a").size(), 2u);
  }
}

// Any bytes are cut into words that are the text again, and no character is torn apart.
RC_GTEST_PROP(PreTokenizer, WordsAreTheTextAndWholeCharacters, (uint64_t seed)) {
  const std::string text = random_text(seed, 40);
  std::vector<bool> starts(text.size() + 1);
  starts[text.size()] = true;
  for (size_t at = 0; at < text.size(); at += character_at(text, at).length) starts[at] = true;
  for (const PreTokenizer rules : kAllRules) {
    size_t at = 0;
    while (at < text.size()) {
      const size_t length = first_word_length(rules, std::string_view(text).substr(at));
      RC_ASSERT(length >= 1 && length <= text.size() - at);
      at += length;
      RC_ASSERT(starts[at]);
    }
  }
}

}  // namespace
}  // namespace quire
