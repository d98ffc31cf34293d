#include "server/json/field_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using ::testing::HasSubstr;

std::string written(const FieldSchema& schema, bool nullable = true) {
  std::string out;
  JsonWriter json(out);
  write_schema(json, schema, "help", nullable);
  return out;
}

// The message with which `value` is refused as the field x; empty if it is taken.
std::string refusal(const FieldSchema& schema, std::string_view value) {
  const auto document = JsonDocument::parse(fmt::format(R"({{"x":{}}})", value));
  const auto checked = check_schema("x", document->root().at_key("x").value(), schema);
  if (checked) return {};
  EXPECT_EQ(checked.error().param, "x");
  return checked.error().message;
}

TEST(FieldSchema, IsWrittenAsJsonSchema) {
  EXPECT_EQ(written({.type = "boolean", .default_value = 1}),
            R"({"type":["boolean","null"],"default":true,"description":"help"})");
  EXPECT_EQ(written({.type = "integer", .min = 1, .max = 128}, false),
            R"({"type":"integer","minimum":1,"maximum":128,"description":"help"})");
  EXPECT_EQ(written({.type = "number", .min = 0, .max = 0.5, .min_exclusive = true}),
            R"({"type":["number","null"],"exclusiveMinimum":0,"maximum":0.5,"description":"help"})");
  EXPECT_EQ(written({.type = "string", .choices = "a|b"}),
            R"({"type":["string","null"],"enum":["a","b",null],"description":"help"})");
  EXPECT_EQ(written({.only = "[]"}), R"({"enum":[null,[]],"description":"help"})");
  EXPECT_EQ(written({.only = "null"}), R"({"enum":[null],"description":"help"})");
  EXPECT_EQ(written({.json = R"({"const":1})"}),
            R"({"anyOf":[{"const":1},{"type":"null"}],"description":"help"})");
  EXPECT_EQ(written({.json = R"({"const":1})"}, false), R"({"allOf":[{"const":1}],"description":"help"})");
}

TEST(FieldSchema, ChecksWhatItSays) {
  const FieldSchema count = {.type = "integer", .min = 1, .max = 128};
  EXPECT_EQ(refusal(count, "1"), "");
  EXPECT_EQ(refusal(count, "128"), "");
  EXPECT_EQ(refusal(count, "0"), "x must be at least 1 and at most 128, but is 0");
  EXPECT_EQ(refusal(count, "129"), "x must be at least 1 and at most 128, but is 129");
  EXPECT_EQ(refusal(count, "1.0"), "x must be an integer, but is a number with a fraction or exponent");
  EXPECT_EQ(refusal(count, "true"), "x must be an integer, but is a boolean");
  const FieldSchema share = {.type = "number", .min = 0, .min_exclusive = true};
  EXPECT_EQ(refusal(share, "1e-9"), "");
  EXPECT_EQ(refusal(share, "0"), "x must be greater than 0, but is 0");
  const FieldSchema word = {.type = "string", .choices = "low|high"};
  EXPECT_EQ(refusal(word, R"("high")"), "");
  EXPECT_EQ(refusal(word, R"("low|high")"), "x must be one of low, high, but is 'low|high'");
  EXPECT_EQ(refusal(word, R"("")"), "x must be one of low, high, but is ''");
  EXPECT_EQ(refusal({.type = "object"}, "[]"), "x must be an object, but is an array");
  EXPECT_EQ(refusal({.type = "array"}, "[1]"), "");
  EXPECT_EQ(refusal({.type = "string"}, "1"), "x must be a string, but is an integer");
}

}  // namespace
}  // namespace quire
