#include "server/json/json_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace quire {
namespace {

using ::testing::HasSubstr;

std::string message_of(std::string_view body) {
  const auto document = JsonDocument::parse(body);
  return document ? "" : document.error().message;
}

TEST(JsonDocument, ReadsAnObject) {
  const auto document = JsonDocument::parse(R"({"a": [1, "x\u00e9\ud83d\ude42", null], "b": {}})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().size(), 2u);
  EXPECT_EQ(document->root()["a"].at(1).get_string().value(), "xé🙂");
}

TEST(JsonDocument, NamesMayBeAllowedToRepeat) {
  EXPECT_FALSE(JsonDocument::parse(R"({"a": [{"b": 1, "b": 2}]})"));
  const auto document = JsonDocument::parse(R"({"a": [{"b": 1, "b": 2}]})", JsonDocument::Names::kRepeated);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root()["a"].at(0).get_object().size(), 2u);
  EXPECT_FALSE(JsonDocument::parse(R"({"a": "\ud83d"})", JsonDocument::Names::kRepeated));
}

TEST(JsonDocument, SaysWhatIsWrong) {
  EXPECT_THAT(message_of(""), HasSubstr("empty"));
  EXPECT_THAT(message_of("   "), HasSubstr("JSON"));
  EXPECT_THAT(message_of("[]"), HasSubstr("must be a JSON object, but is an array"));
  EXPECT_THAT(message_of("null"), HasSubstr("but is null"));
  EXPECT_THAT(message_of("{\"a\": 1"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message_of("{\"a\": 1} x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message_of("{\"a\": NaN}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message_of("{\"a\": 1e999}"), HasSubstr("number"));
  EXPECT_THAT(message_of("{\"a\": 99999999999999999999}"), HasSubstr("number"));
  EXPECT_THAT(message_of("{\"a\": 01}"), HasSubstr("number"));
  EXPECT_THAT(message_of("{\"a\": \"\xff\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(message_of("{\"a\": \"\xed\xa0\x80\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(message_of(R"({"a": "\x"})"), HasSubstr("escape"));
  EXPECT_THAT(message_of("{\"a\": \"\n\"}"), HasSubstr("not valid JSON"));
}

TEST(JsonDocument, NamesTheFieldThatCannotBeRead) {
  const auto field_of = [](std::string_view body) {
    const auto document = JsonDocument::parse(body);
    return document ? "none" : document.error().param;
  };
  EXPECT_EQ(field_of(R"({"a": 1, "seed": 18446744073709551616, "b": 2})"), "seed");
  EXPECT_EQ(field_of(R"({"a": "}, \"n\": 1", "bias": {"x": [1, {"1": 1e999}]}, "b": 2})"), "bias");
  EXPECT_EQ(field_of(R"({"a": [{"b": ","}], "n": 01})"), "n");
  EXPECT_EQ(field_of(R"({"a": "x", "user": "\x"})"), "user");
  EXPECT_EQ(field_of(R"({"a": "x", "user": ["\ud800"]})"), "user");
  EXPECT_EQ(field_of(R"({"a": "x", "user": "\ud800"})"), "user");
  EXPECT_THAT(message_of(R"({"n": 99999999999999999999})"), HasSubstr("n has a number that is malformed"));
  // What cannot be told apart is the body's.
  EXPECT_EQ(field_of(R"([1e999])"), "");
  EXPECT_THAT(message_of(R"([1e999])"), HasSubstr("the body has a number"));
  EXPECT_EQ(field_of(R"({"a": 1)"), "");
  EXPECT_EQ(field_of(R"({"a)"), "");
  EXPECT_EQ(field_of(fmt::format(R"({{"a": "{}", "n": 1e999}})", std::string(2 << 20, 'x'))), "");
}

// A view of nothing may have no address.
TEST(JsonDocument, NothingIsNoObject) {
  const auto document = JsonDocument::parse(std::string_view());
  ASSERT_FALSE(document.has_value());
  EXPECT_THAT(document.error().message, testing::HasSubstr("the body is empty"));
}

TEST(JsonDocument, RefusesSurrogatesWithoutPartners) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\u0041")",
                           R"("\udc00\ud800")", R"("\ud83d\ud83d")"}) {
    EXPECT_THAT(message_of(fmt::format("{{\"a\": {}}}", text)), HasSubstr("surrogate")) << text;
    EXPECT_THAT(message_of(fmt::format("{{\"a\": [{{\"b\": {}}}]}}", text)), HasSubstr("surrogate"))
        << text;
    EXPECT_NE(message_of(fmt::format("{{{}: 1}}", text)), "") << text;
  }
}

TEST(JsonDocument, RefusesNamesGivenTwice) {
  EXPECT_THAT(message_of(R"({"a": 1, "b": 2, "a": 3})"), HasSubstr("'a' is there more than once"));
  EXPECT_THAT(message_of(R"({"a": 1, "\u0061": 3})"), HasSubstr("'a' is there more than once"));
  EXPECT_THAT(message_of(R"({"x": [{"k": 1, "k": 1}]})"), HasSubstr("'k' is there more than once"));
}

TEST(JsonDocument, BoundsTheDepth) {
  const auto nested = [](size_t levels) {
    return fmt::format("{{\"a\":{}{}}}", std::string(levels, '['), std::string(levels, ']'));
  };
  EXPECT_EQ(message_of(nested(kMaxJsonDepth - 2)), "");
  EXPECT_THAT(message_of(nested(kMaxJsonDepth + 1)), HasSubstr("deeper"));
  EXPECT_THAT(message_of(nested(100'000)), HasSubstr("deeper"));
  EXPECT_NE(message_of(fmt::format("{{\"a\":{}", std::string(100'000, '['))), "");
}

TEST(JsonDocument, KeepsNul) {
  const auto document = JsonDocument::parse(R"({"a": "x\u0000y"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root()["a"].get_string().value(), std::string_view("x\0y", 3));
  EXPECT_NE(message_of(std::string_view("{\"a\": \0}", 8)), "");
}

RC_GTEST_PROP(JsonDocument, AnswersAnyBytes, (const std::string& bytes)) {
  const auto document = JsonDocument::parse(bytes);
  RC_ASSERT(document || !document.error().message.empty());
}

}  // namespace
}  // namespace quire
