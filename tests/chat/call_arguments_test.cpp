#include "chat/call_arguments.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/rng.h"
#include "chat/json_scanner.h"

namespace quire {
namespace {

TEST(CallArguments, WhatIsReadableStays) {
  for (const char* json : {R"({})", R"({"a": [1, -2.5e+10, {"b": null}], "c": "\ud83d\ude00 \\ud83d \"é"})",
                           R"({"a": 18446744073709551615, "b": -9223372036854775808, "a": true})"}) {
    EXPECT_EQ(readable_arguments(json), json);
    EXPECT_EQ(readable_arguments("\n " + std::string(json) + " "), json);
  }
}

TEST(CallArguments, WhatIsCutOffIsClosed) {
  const std::pair<const char*, const char*> rows[] = {
      {"{", "{}"},
      {R"({"a)", "{}"},
      {R"({"a": )", "{}"},
      {R"({"a": "x)", "{}"},
      {R"({"a": "x")", R"({"a": "x"})"},
      {R"({"a": 12)", "{}"},
      {R"({"a": 12,)", R"({"a": 12})"},
      {R"({"a": 12, "b": tru)", R"({"a": 12})"},
      {R"({"a": [1, 2, {"b": [")", R"({"a": [1, 2, {"b": []}]})"},
      {R"({"a": [1, {"b": "]"}], "c": )", R"({"a": [1, {"b": "]"}]})"},
  };
  for (const auto& [cut, closed] : rows) EXPECT_EQ(readable_arguments(cut), closed) << cut;
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), by);
  }
  return text;
}

TEST(CallArguments, SurrogatesAndNumbersAreMadeReadable) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"a": "\ud83d"})", R"({"a": "\ufffd"})"},
      {R"({"a": "\uDE00\ud83d\ud83d\ude00x"})", R"({"a": "\ufffd\ufffd\ud83d\ude00x"})"},
      {R"({"\ud83d\n": 1})", R"({"\ufffd\n": 1})"},
      {R"({"a": 1e400, "b": [-1E400]})",
       R"({"a": 1.7976931348623157e308, "b": [-1.7976931348623157e308]})"},
      {R"({"a": 1e-400})", R"({"a": 0})"},
      {R"({"a": 0.[zeros]1, "b": -0.[zeros]1e9})", R"({"a": 0, "b": 0})"},
      {R"({"a": 123456789012345678901234567890})", R"({"a": 123456789012345678901234567890e0})"},
  };
  for (const auto& [text, readable] : rows) {
    const std::string written = replaced(text, "[zeros]", std::string(400, '0'));
    EXPECT_EQ(readable_arguments(written), readable) << text;
  }
}

TEST(CallArguments, OtherTextIsNone) {
  for (const char* text : {"", " ", "x", "[]", "1", "{a", "{} x", "{}}", R"({"a": 1]})", R"({"a": 01})"}) {
    EXPECT_EQ(readable_arguments(text), std::nullopt) << text;
  }
}

// Another parser reads it, however the text is cut.
TEST(CallArguments, SimdjsonReadsIt) {
  constexpr std::string_view kParts[] = {R"("a": )",
                                         "1e999, ",
                                         "[",
                                         "{",
                                         "]",
                                         "}",
                                         R"("\ud83d", )",
                                         R"("\udc00")",
                                         "-0.5",
                                         "true",
                                         ",",
                                         "null",
                                         R"("b":"x\\\"")",
                                         "99999999999999999999999",
                                         " ",
                                         ", \"k\": "};
  simdjson::dom::parser parser;
  int readable = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    std::string text = R"({"a": )";
    for (uint64_t left = rng.below(7); left > 0; --left) text += kParts[rng.below(std::size(kParts))];
    text.resize(text.size() - rng.below(3));
    const auto json = readable_arguments(text);
    if (!json) continue;
    ++readable;
    ASSERT_EQ(parser.parse(*json).error(), simdjson::SUCCESS) << text << "\n" << *json;
  }
  EXPECT_GT(readable, 1000);
}

}  // namespace
}  // namespace quire
