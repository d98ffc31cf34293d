#include "chat/json_scanner.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>

#include "base/rng.h"
#include "tests/base/test_effort.h"

namespace quire {
namespace {

using Status = JsonScanner::Status;

// kMore: unfinished. kFailed also when something follows the end.
Status scan(std::string_view text) {
  JsonScanner scanner;
  Status status = Status::kMore;
  for (const char c : text) {
    if (status == Status::kDone) return Status::kFailed;
    status = scanner.push(c);
    if (status == Status::kFailed) return status;
  }
  return status;
}

TEST(JsonScanner, FindsTheEnd) {
  for (const char* json : {R"({})", R"([])", R"({"a": 1})", R"([1, -2.5e+10, 0, 0.5, 1E3])",
                           R"({"a": {"b": [true, false, null, "x\"\\\u00e9}]"]}, "c": ""})"}) {
    EXPECT_EQ(scan(json), Status::kDone) << json;
    const std::string text = json;
    for (size_t length = 1; length < text.size(); ++length) {
      EXPECT_EQ(scan(text.substr(0, length)), Status::kMore) << text.substr(0, length);
    }
  }
}

TEST(JsonScanner, RefusesWhatIsNone) {
  for (const char* text :
       {"1",      "\"a\"",     " {",      "{a",   "{\"a\" 1",   "{\"a\":}", "{,",         "[1 2",
        "[01",    "[-a",       "[1.a",    "[.5",  "[1e+]",      "[+1",      "[tru]",      "[nulL",
        "[\"\\x", "[\"\\u12g", "[\"\n\"", "[1}",  "{\"a\": 1]", "[1,]",     "{\"a\":1,}", "[\"\x01",
        "{1: 2",  "['a'",      "[1, ,",   "[NaN", "[]]"}) {
    EXPECT_EQ(scan(text), Status::kFailed) << text;
  }
}

TEST(JsonScanner, DepthIsBounded) {
  const size_t most = JsonScanner::kMaxDepth;
  EXPECT_EQ(scan(std::string(most, '[') + std::string(most, ']')), Status::kDone);
  EXPECT_EQ(scan(std::string(most + 1, '[')), Status::kFailed);
  std::string objects;
  for (size_t i = 0; i < most; ++i) objects += "{\"a\":";
  EXPECT_EQ(scan(objects + "1" + std::string(most, '}')), Status::kDone);
  EXPECT_EQ(scan(objects + "{"), Status::kFailed);
}

// Another parser's word on mutated texts.
TEST(JsonScanner, AgreesWithSimdjson) {
  const std::string seeds[] = {R"({"name": "f", "arguments": {"x": [1, 2.5, -3e2], "y": "a\"b\\c"}})",
                               R"([{"a": true}, {"b": [false, null, {"c": {}}]}, [], ""])",
                               R"({"a":{"b":{"c":[[[0]],{"d":-0.0}]}},"e":"\n\t\/"})"};
  constexpr std::string_view kBytes = "{}[]\",:\\ 0123456789.eE+-truefalsnl\n";
  const int rounds = long_run() ? 1'000'000 : 30'000;
  int valid = 0;
  for (int seed = 0; seed < rounds; ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    std::string text = seeds[rng.below(std::size(seeds))];
    for (uint64_t left = 1 + rng.below(2); left > 0; --left) {
      const size_t at = rng.below(text.size());
      const char c = kBytes[rng.below(kBytes.size())];
      switch (rng.below(3)) {
        case 0: text[at] = c; break;
        case 1: text.insert(at, 1, c); break;
        default: text.erase(at, 1);
      }
    }
    if (text.empty() || (text[0] != '{' && text[0] != '[')) continue;
    simdjson::dom::parser parser;
    const auto error = parser.parse(text).error();
    if (error == simdjson::NUMBER_ERROR && text.contains('e'))
      continue;  // it may be too large for a double
    ASSERT_EQ(scan(text) == Status::kDone, error == simdjson::SUCCESS) << text << ": " << error;
    valid += error == simdjson::SUCCESS ? 1 : 0;
  }
  EXPECT_GT(valid, rounds / 20);
}

}  // namespace
}  // namespace quire
