#include "bench/completion_chunk.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(CompletionChunk, TextIsAToken) {
  const auto chunk =
      parse_completion_chunk(R"({"choices":[{"index":0,"text":" hi","finish_reason":null}]})");
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->has_choice);
  EXPECT_TRUE(chunk->has_token);
  EXPECT_FALSE(chunk->done);
  EXPECT_FALSE(chunk->completion_tokens);
}

TEST(CompletionChunk, HeldBackTextIsAToken) {
  const auto chunk = parse_completion_chunk(R"({"choices":[{"text":"","finish_reason":null}]})");
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->has_token);
}

TEST(CompletionChunk, AnEndWithoutTextIsNone) {
  const auto chunk = parse_completion_chunk(R"({"choices":[{"text":"","finish_reason":"length"}]})");
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->has_choice);
  EXPECT_FALSE(chunk->has_token);
}

TEST(CompletionChunk, ReadsUsage) {
  const auto chunk = parse_completion_chunk(
      R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46}})");
  ASSERT_TRUE(chunk);
  EXPECT_FALSE(chunk->has_choice);
  EXPECT_EQ(chunk->prompt_tokens, 12);
  EXPECT_EQ(chunk->completion_tokens, 34);
  const auto null_usage = parse_completion_chunk(R"({"choices":[{"text":"x"}],"usage":null})");
  ASSERT_TRUE(null_usage);
  EXPECT_FALSE(null_usage->completion_tokens);
}

TEST(CompletionChunk, Done) {
  const auto chunk = parse_completion_chunk("[DONE]");
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->done);
}

TEST(CompletionChunk, AnErrorEventIsTheServersError) {
  const auto chunk = parse_completion_chunk(R"({"error":{"message":"out of blocks","type":"x"}})");
  ASSERT_FALSE(chunk);
  EXPECT_NE(chunk.error().message.find("out of blocks"), std::string::npos);
}

TEST(CompletionChunk, RefusesWhatIsNoJson) {
  EXPECT_FALSE(parse_completion_chunk("{"));
  EXPECT_FALSE(parse_completion_chunk(""));
  EXPECT_TRUE(parse_completion_chunk("[1,2]"));  // JSON that says nothing of tokens
}

TEST(ErrorMessage, FindsTheMessageInEveryForm) {
  EXPECT_EQ(error_message(R"({"error":{"message":"no","type":"t","param":null,"code":400}})"), "no");
  EXPECT_EQ(error_message(R"({"error":"plain"})"), "plain");
  EXPECT_EQ(error_message("<html>"), "<html>");
  EXPECT_EQ(error_message(std::string(1000, 'x')).size(), 200u);
}

TEST(FirstModelId, IsTheFirstOfTheList) {
  EXPECT_EQ(first_model_id(R"({"object":"list","data":[{"id":"a"},{"id":"b"}]})").value(), "a");
  EXPECT_FALSE(first_model_id(R"({"data":[]})"));
  EXPECT_FALSE(first_model_id("nonsense"));
}

}  // namespace
}  // namespace quire
