// Answers that come as events, and what ends them early.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class ApiStreamTest : public ApiFixture {};

TEST_F(ApiStreamTest, StreamsCompletions) {
  const auto events = stream("/v1/completions", R"({"prompt": "ab", "max_tokens": 3, "stream": true,
                             "stream_options": {"include_usage": true}, "return_token_ids": true})");
  ASSERT_EQ(events.size(), 5u);
  std::string text;
  for (size_t i = 0; i < 3; ++i) {
    text += events[i].at("/choices/0/text");
    EXPECT_EQ(events[i].at("/object"), "text_completion");
    EXPECT_EQ(events[i].at("/id"), events[0].at("/id"));
    EXPECT_EQ(events[i].at("/usage"), "null");
    EXPECT_EQ(events[i].at("/choices/0/finish_reason"), i == 2 ? "length" : "null");
    EXPECT_EQ(events[i].at("/choices/0/prompt_token_ids"), i == 0 ? "[97,98]" : "absent");
  }
  EXPECT_EQ(text, "aba");
  EXPECT_EQ(events[1].at("/choices/0/token_ids"), "[98]");
  EXPECT_EQ(events[3].at("/choices"), "[]");
  EXPECT_EQ(events[3].at("/usage"), usage_json(2, 3));
  EXPECT_EQ(events[4].body(), "[DONE]");
}

TEST_F(ApiStreamTest, StreamsChats) {
  const auto events =
      stream("/v1/chat/completions",
             R"({"messages": [{"role": "user", "content": "hé"}], "stream": true, "n": 2})");
  std::vector<std::string> content(2), roles(2), ends(2);
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const auto choice = std::stoul(events[i].at("/choices/0/index"));
    EXPECT_EQ(events[i].at("/object"), "chat.completion.chunk");
    EXPECT_EQ(events[i].at("/usage"), "absent");
    EXPECT_EQ(events[i].at("/choices/0/delta/role"), content[choice].empty() ? "assistant" : "absent");
    const std::string piece = events[i].at("/choices/0/delta/content");
    if (piece != "absent") content[choice] += piece;
    EXPECT_EQ(ends[choice], "") << "a chunk after the last";
    const std::string finish = events[i].at("/choices/0/finish_reason");
    if (finish != "null") ends[choice] = finish;
  }
  EXPECT_EQ(content[0], "hé");
  EXPECT_EQ(content[1], "hé");
  EXPECT_EQ(ends[0], "stop");
  EXPECT_EQ(ends[1], "stop");
  EXPECT_EQ(events.back().body(), "[DONE]");
}

TEST_F(ApiStreamTest, StreamsEchoAndLogprobsOnce) {
  const auto events =
      stream("/v1/completions", R"({"prompt": "ab", "max_tokens": 2, "stream": true, "echo": true,
                             "logprobs": 0})");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].at("/choices/0/text"), "aba");
  EXPECT_EQ(events[0].at("/choices/0/logprobs/token_logprobs"), "[null,-1,-0.5]");
  EXPECT_EQ(events[1].at("/choices/0/text"), "b");
  EXPECT_EQ(events[1].at("/choices/0/logprobs/text_offset"), "[3]");
}

TEST_F(ApiStreamTest, TextThatMayBecomeAStopStringIsHeldBack) {
  const auto events =
      stream("/v1/completions", R"({"prompt": "abcd", "max_tokens": 8, "stream": true, "stop": "cda"})");
  std::string text;
  for (size_t i = 0; i + 1 < events.size(); ++i) text += events[i].at("/choices/0/text");
  EXPECT_EQ(text, "ab");
  EXPECT_EQ(events[events.size() - 2].at("/choices/0/stop_reason"), "cda");
}

TEST_F(ApiStreamTest, AFailureInMidStreamIsAnEvent) {
  const RequestHead head{HttpMethod::kPost, "/v1/completions", {}, {}};
  auto reply = api.handle(head, R"({"prompt": "ab", "stream": true})");
  auto& run = *std::get<std::unique_ptr<AnswerRun>>(reply);
  std::string body;
  while (body.empty()) {
    ASSERT_TRUE(model.handle.engine->step());
    ASSERT_EQ(run.advance(body), AnswerRun::Progress::kMore);
  }
  model.gate->fail_next_step();
  ASSERT_TRUE(model.handle.engine->step());
  EXPECT_EQ(run.advance(body), AnswerRun::Progress::kDone);
  ASSERT_TRUE(run.error());
  EXPECT_EQ(run.error()->status, 500);
  EXPECT_THAT(body, HasSubstr("data: {\"error\":{\"message\":"));
  EXPECT_THAT(body, testing::EndsWith("data: [DONE]\n\n"));
}

TEST_F(ApiStreamTest, AnEngineFailureIsA500) {
  model.gate->fail_next_step();
  const Answer answer = post("/v1/completions", R"({"prompt": ["ab", "cd"]})");
  EXPECT_EQ(answer.status(), 500);
  EXPECT_EQ(answer.at("/error/type"), "server_error");
}

TEST_F(ApiStreamTest, LeavingFreesEverything) {
  const RequestHead head{HttpMethod::kPost, "/v1/completions", {}, {}};
  auto reply = api.handle(head, R"({"prompt": ["ab", "cd", "ef"], "n": 2, "max_tokens": 100})");
  auto& run = std::get<std::unique_ptr<AnswerRun>>(reply);
  std::string body;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(model.handle.engine->step());
  EXPECT_EQ(run->advance(body), AnswerRun::Progress::kMore);
  EXPECT_LT(model.handle.engine->stats().num_free_blocks, 64);
  run.reset();
  model.handle.engine->step();
  model.handle.engine->step();
  EXPECT_EQ(model.handle.engine->stats().num_free_blocks, 64);
}

}  // namespace
}  // namespace quire
