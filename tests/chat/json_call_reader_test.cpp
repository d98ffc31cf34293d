#include "chat/json_call_reader.h"

#include <gtest/gtest.h>

#include <optional>

namespace quire {
namespace {

const std::vector<std::string> kOffered = {"f", "get_weather", "a-b"};
using Calls = std::vector<ToolCall>;
using Pieces = std::vector<CallPiece>;
using Status = JsonCallReader::Status;

// Of a whole text, whose calls must be whole.
std::optional<Calls> calls_of(std::string_view json, size_t most = 128) {
  JsonCallReader reader(kOffered, most);
  Status status = Status::kMore;
  for (const char c : json) status = status == Status::kMore ? reader.push(c) : Status::kFailed;
  if (status != Status::kDone) return std::nullopt;
  Pieces pieces;
  reader.take_pieces(pieces);
  Calls calls;
  for (const CallPiece& piece : pieces) {
    EXPECT_TRUE(piece.whole) << json;
    calls.push_back({piece.name, piece.arguments});
  }
  return calls;
}

TEST(JsonCallReader, FindsCalls) {
  EXPECT_EQ(calls_of(R"({"name": "f", "arguments": {"x": [1, "}"]}})"),
            (Calls{{"f", R"({"x": [1, "}"]})"}}));
  EXPECT_EQ(calls_of(R"({"id":"1","parameters":{},"name":"a-b","type":"function"})"),
            (Calls{{"a-b", "{}"}}));
  EXPECT_EQ(calls_of(R"({"name": "f"})"), (Calls{{"f", "{}"}}));
  EXPECT_EQ(calls_of(R"({"name": "f", "parameters": null})"), (Calls{{"f", "{}"}}));
  EXPECT_EQ(calls_of(R"([{"name": "f"}, {"name": "get_weather", "arguments": {"a": "\"]"}} ])"),
            (Calls{{"f", "{}"}, {"get_weather", R"({"a": "\"]"})"}}));
  EXPECT_EQ(calls_of(R"({"x": [{"name": "g"}, ",", {}], "y":-1 ,"name":"f","z":{"arguments":[]}})"),
            (Calls{{"f", "{}"}}));
}

TEST(JsonCallReader, WhatComesFirstCounts) {
  EXPECT_EQ(calls_of(R"({"name": "f", "name": "g", "arguments": {}, "arguments": {"a": 1}})"),
            (Calls{{"f", "{}"}}));
  EXPECT_EQ(calls_of(R"({"parameters": null, "arguments": {"a": 1}, "name": "f"})"),
            (Calls{{"f", R"({"a": 1})"}}));
}

TEST(JsonCallReader, OtherJsonIsNoCall) {
  for (const char* json : {R"({})",
                           R"([])",
                           R"([[]])",
                           R"({"name": 1})",
                           R"({"name": "g"})",
                           R"({"name": "F"})",
                           R"({"name": {"name": "f"}})",
                           R"({"name": "f", "arguments": "{}"})",
                           R"({"name": "f", "arguments": [1]})",
                           R"({"arguments": {}})",
                           R"([{"name": "f"}, 1])",
                           R"([{"name": "f"}, {"name": "g"}])",
                           R"({"function": {"name": "f"}})",
                           R"({"x": {"name": "f"}})",
                           R"([{"name": "f"}, "f"])",
                           R"([{"name": "f"}, ["f"]])",
                           R"([null, {"name": "f"}])",
                           R"({"name": "f", "arguments": {})",
                           R"({"name": "f"} )",
                           R"({"name": "f", })"}) {
    EXPECT_EQ(calls_of(json), std::nullopt) << json;
  }
}

TEST(JsonCallReader, TheNumberOfCallsIsBounded) {
  const char* json = R"([{"name": "f", "arguments": {}}, {"name": "f"}])";
  EXPECT_TRUE(calls_of(json, 2));
  EXPECT_FALSE(calls_of(json, 1));
  EXPECT_FALSE(calls_of(R"({"name": "f"})", 0));
}

// The pieces that may be taken after each part of the text.
std::vector<Pieces> taken(std::initializer_list<std::string_view> parts) {
  JsonCallReader reader(kOffered, 128);
  std::vector<Pieces> all;
  for (const std::string_view part : parts) {
    for (const char c : part) EXPECT_NE(reader.push(c), Status::kFailed) << part;
    Pieces& pieces = all.emplace_back();
    if (reader.is_sure()) reader.take_pieces(pieces);
  }
  return all;
}

TEST(JsonCallReader, ACallIsSureOnceItsArgumentsBegin) {
  EXPECT_EQ(taken({R"({"name": "f", "arguments")", ": {", R"("x": )", "1}", "}"}),
            (std::vector<Pieces>{{}, {{"f", "{"}}, {{"", R"("x": )"}}, {{"", "1}", true}}, {}}));
  EXPECT_EQ(taken({R"({"arguments": {"x": 1}, "name": "f)", R"(")", "}"}),
            (std::vector<Pieces>{{}, {{"f", R"({"x": 1})", true}}, {}}));
  // One that has none yet may still turn out to be no call; it is sure with the next.
  EXPECT_EQ(taken({R"([{"name": "f"}, )", R"({"name": "f", "parameters": {)", "}", "}]"}),
            (std::vector<Pieces>{{}, {{"f", "{}", true}, {"f", "{"}}, {{"", "}", true}}, {}}));
}

TEST(JsonCallReader, NothingIsSureAfterWhatIsNoCall) {
  JsonCallReader reader(kOffered, 128);
  for (const char c :
       std::string_view(R"([{"name": "g", "arguments": {}}, {"name": "f", "arguments": {})")) {
    EXPECT_EQ(reader.push(c), Status::kMore);
    EXPECT_FALSE(reader.is_sure());
  }
}

}  // namespace
}  // namespace quire
