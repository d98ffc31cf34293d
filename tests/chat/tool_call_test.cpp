#include "chat/tool_call.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

const std::vector<std::string> kTools = {"f", "get_weather", "a-b"};
using Calls = std::vector<ToolCall>;

TEST(ToolCall, Names) {
  EXPECT_TRUE(is_tool_name("get_weather-2"));
  EXPECT_TRUE(is_tool_name(std::string(64, 'a')));
  for (const std::string& bad : {std::string(), std::string(129, 'a'), std::string("a b"),
                                 std::string("a.b"), std::string("é"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_tool_name(bad)) << bad;
  }
}

TEST(ToolCall, FromPython) {
  EXPECT_EQ(read_python_calls("[f()]", kTools), (Calls{{"f", "{}"}}));
  EXPECT_EQ(read_python_calls(R"([ f( a = 1, b="x" ) , get_weather(city='Oslo "N"',), ])", kTools),
            (Calls{{"f", R"({"a": 1, "b": "x"})"}, {"get_weather", R"({"city": "Oslo \"N\""})"}}));
  EXPECT_EQ(read_python_calls(
                R"([f(a=[1, -2.5e3], b=(True, False, None), c={'k': {"l": []}}, d=true, e=null)])", kTools),
            (Calls{{"f", R"({"a": [1, -2.5e3], "b": [true, false, null], )"
                         R"("c": {"k": {"l": []}}, "d": true, "e": null})"}}));
  EXPECT_EQ(read_python_calls(R"([f(a='it\'s\n\\ \x41\u00e9\U0001F600 \d ü')])", kTools),
            (Calls{{"f", R"({"a": "it's\n\\ Aé😀 \\d ü"})"}}));
  const std::string name(100, 'n');  // of an argument, which no bound is on but the call's
  EXPECT_EQ(read_python_calls("[f(" + name + "=1)]", kTools), (Calls{{"f", "{\"" + name + "\": 1}"}}));
  EXPECT_EQ(read_python_calls("[f(a='\t\x01')]", kTools), (Calls{{"f", R"({"a": "\t\u0001"})"}}));
}

TEST(ToolCall, OtherPythonIsNoCall) {
  for (const char* text : {"[]",
                           "[f]",
                           "[f(]",
                           "[f(1)]",
                           "[g()]",
                           "[f(a=b)]",
                           "[f(a=1 b=2)]",
                           "[f() f()]",
                           "[f(a=01)]",
                           "[f(a=1.)]",
                           "[f(a=.5)]",
                           "[f(a=1_0)]",
                           "[f(a=-)]",
                           "[f(a='x)]",
                           "[f(a='x\ny')]",
                           "[f(a=r'x')]",
                           "[f(a='x' 'y')]",
                           "[f(a={1: 2})]",
                           "[f(a={'k' 2})]",
                           "[f(a=[1)]",
                           "[f(a=f())]",
                           "[f(**a)]",
                           "[f(a=1)",
                           "f()",
                           "[f()] x",
                           "[f(a='\\ud800')]",
                           "[f(a='\\x4')]",
                           "[f(a='\\U00110000')]",
                           "[f(a=)]",
                           "[f(=1)]",
                           "[f(,)]",
                           "[f(a=1,,)]"}) {
    EXPECT_EQ(read_python_calls(text, kTools), std::nullopt) << text;
  }
}

TEST(ToolCall, PythonDepthIsBounded) {
  const auto nested = [](size_t depth) {
    return "[f(a=" + std::string(depth, '[') + std::string(depth, ']') + ")]";
  };
  EXPECT_TRUE(read_python_calls(nested(60), kTools));
  EXPECT_FALSE(read_python_calls(nested(65), kTools));
  EXPECT_FALSE(read_python_calls(nested(100'000), kTools));
}

TEST(ToolCall, PythonListEnds) {
  using Status = PythonListScanner::Status;
  const auto scan = [](std::string_view text) {
    PythonListScanner scanner;
    Status status = Status::kMore;
    for (size_t i = 0; i < text.size() && status == Status::kMore; ++i) {
      status = scanner.push(text[i]);
      EXPECT_EQ(status == Status::kDone, i + 1 == text.size() && text.ends_with("g()]")) << text;
    }
    return status;
  };
  EXPECT_EQ(scan("[ f(a='])', b=\"\\\"]\", c={'x': [(1)]}), g()]"), Status::kDone);
  EXPECT_EQ(scan("[f(a=']"), Status::kMore);
  EXPECT_EQ(scan("f"), Status::kFailed);
  EXPECT_EQ(scan("[1.5"), Status::kFailed);
  EXPECT_EQ(scan("[see: f("), Status::kFailed);
  EXPECT_EQ(scan("[f(" + std::string(100, '[')), Status::kFailed);
}

}  // namespace
}  // namespace quire
