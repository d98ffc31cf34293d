#include "server/json/json_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>

#include "base/text.h"

namespace quire {
namespace {

std::string written(std::string_view text) {
  std::string out;
  JsonWriter(out).string(text);
  return out;
}

TEST(JsonWriter, PutsCommasBetweenAndNowhereElse) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("a", 1);
  json.key("b");
  json.begin_array();
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.null();
  json.boolean(true);
  json.end_array();
  json.field("c", "x");
  json.field("d", false);
  json.field("e", 0.25);
  json.null_field("f");
  json.end_object();
  EXPECT_EQ(out, R"({"a":1,"b":[{},[],null,true],"c":"x","d":false,"e":0.25,"f":null})");
}

TEST(JsonWriter, EscapesWhatJsonDoesNotTakePlain) {
  EXPECT_EQ(written("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(written("\n\r\t\b\f\x01\x1f\x7f"), "\"\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\x7f\"");
  EXPECT_EQ(written(std::string_view("a\0b", 3)), R"("a\u0000b")");
  EXPECT_EQ(written("é漢🙂"), "\"é漢🙂\"");
}

TEST(JsonWriter, NeverWritesInvalidUtf8) {
  EXPECT_EQ(written("a\xff"), "\"a\xEF\xBF\xBD\"");
  EXPECT_EQ(written("\xe2\x82\""), "\"\xEF\xBF\xBD\\\"\"");
  EXPECT_EQ(written("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate in CESU-8
}

TEST(JsonWriter, WritesNumbersThatReadBack) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  json.integer(std::numeric_limits<int64_t>::min());
  json.number(0.1F);
  json.number(-1e-30);
  json.number(std::nan(""));
  json.number(-std::numeric_limits<double>::infinity());
  json.end_array();
  EXPECT_EQ(out, "[-9223372036854775808,0.1,-1e-30,null,null]");
}

RC_GTEST_PROP(JsonWriter, StringsReadBackAsTheyWere, (const std::string& bytes)) {
  const std::string text = written(bytes);
  RC_ASSERT(is_valid_utf8(text));
  simdjson::dom::parser parser;
  RC_ASSERT(std::string(parser.parse(text).get_string().value()) == replace_invalid_utf8(bytes));
}

}  // namespace
}  // namespace quire
