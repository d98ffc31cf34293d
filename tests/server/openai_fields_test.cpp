// Fields of OpenAI's and vLLM's that clients send: what each does, or that it does nothing.
#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

constexpr const char* kCompletionsPath = "/v1/completions";
constexpr const char* kChatsPath = "/v1/chat/completions";

class OpenAiFields : public ApiFixture {
 protected:
  // The answer to one message, "abc", with more fields.
  Answer chat(std::string_view more) const {
    return post(kChatsPath,
                fmt::format(R"({{"messages": [{{"role": "user", "content": "abc"}}], {}}})", more));
  }
};

TEST_F(OpenAiFields, WhatHasNoEffectIsTaken) {
  const Answer plain = chat(R"("max_tokens": 3)");
  for (
      const char* field : {
          R"("user": "me")",
          R"("metadata": {"a": "b"})",
          R"("prediction": {"type": "content", "content": "a"})",
          R"("store": true)",
          R"("safety_identifier": "x")",
          R"("prompt_cache_key": "x")",
          R"("prompt_cache_retention": "24h")",
          R"("prompt_cache_options": {"mode": "implicit"})",
          R"("service_tier": "flex")",
          R"("verbosity": "low")",
          R"("parallel_tool_calls": false)",
          R"("reasoning_effort": "high")",
          R"("spaces_between_special_tokens": false)",
      }) {
    const Answer answer = chat(fmt::format(R"("max_tokens": 3, {})", field));
    EXPECT_EQ(answer.status(), 200) << field << answer.body();
    EXPECT_EQ(answer.at("/choices"), plain.at("/choices")) << field;
  }
}

TEST_F(OpenAiFields, PromptsAreTruncatedFromTheLeft) {
  const auto complete = [&](std::string_view prompt, std::string_view more) {
    const Answer answer =
        post(kCompletionsPath, fmt::format(R"({{"prompt": "{}", "max_tokens": 4, {}}})", prompt, more));
    return fmt::format("{}:{}", answer.at("/usage/prompt_tokens"), answer.at("/choices/0/text"));
  };
  EXPECT_EQ(complete("abcdef", R"("truncate_prompt_tokens": 2)"), "2:efef");
  EXPECT_EQ(complete("abcdef", R"("truncate_prompt_tokens": 6)"), "6:abcd");
  EXPECT_EQ(complete("abcdef", R"("truncate_prompt_tokens": 2147483647)"), "6:abcd");
  EXPECT_EQ(complete("abcdef", R"("truncate_prompt_tokens": -1)"), "6:abcd");
  EXPECT_EQ(complete("abcdef", R"("truncate_prompt_tokens": 2, "echo": true)"), "2:efefef");
  // The context holds 256, of which the answer has 4; and a text that could not fit by far is cut, too.
  EXPECT_EQ(complete(std::string(300, 'a'), R"("truncate_prompt_tokens": -1)"), "252:aaaa");
  EXPECT_EQ(complete(std::string(100'000, 'a'), R"("truncate_prompt_tokens": 3)"), "3:aaaa");
  const Answer answer = chat(R"("truncate_prompt_tokens": 2, "ignore_eos": true, "max_tokens": 2,
                                "return_token_ids": true)");
  EXPECT_EQ(answer.at("/prompt_token_ids"), "[99,256]");
}

TEST_F(OpenAiFields, EachChunkMayHaveTheUsage) {
  const auto events = stream(kCompletionsPath, R"({"prompt": "ab", "max_tokens": 3, "stream": true,
      "stream_options": {"include_usage": true, "continuous_usage_stats": true}})");
  ASSERT_EQ(events.size(), 5u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].at("/usage/completion_tokens"), std::to_string(i + 1));
    EXPECT_EQ(events[i].at("/usage/prompt_tokens"), "2");
  }
  EXPECT_EQ(events[3].at("/choices"), "[]");
  EXPECT_EQ(events[3].at("/usage"), events[2].at("/usage"));
}

constexpr std::string_view kOpenEnd =
    R"("messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bc "}])";

TEST_F(OpenAiFields, TheLastMessageMayGoOn) {
  const auto tokens = [&](std::string_view more) {
    const std::string ids = post("/tokenize", fmt::format("{{{}{}}}", kOpenEnd, more)).at("/tokens");
    return post("/detokenize", fmt::format(R"({{"tokens": {}}})", ids)).at("/prompt");
  };
  EXPECT_EQ(tokens(""), "a<|end|><|turn|>assistantbc <|end|>");
  EXPECT_EQ(tokens(R"(, "continue_final_message": true)"), "a<|end|><|turn|>assistantbc ");
  EXPECT_EQ(tokens(R"(, "continue_final_message": true, "add_generation_prompt": false)"),
            "a<|end|><|turn|>assistantbc ");
}

// A model whose answers begin with reasoning: what goes on after it, or was never within it, is content.
class OpenReasoningTest : public ApiFixture {
 protected:
  OpenReasoningTest() : ApiFixture({}, with_reasoning()) {}
  static ServerConfig with_reasoning() {
    ServerConfig config;
    config.reasoning_parser = "deepseek_r1";
    return config;
  }
};

TEST_F(OpenReasoningTest, GoesOnWhereItWasLeft) {
  const auto message = [&](std::string_view last) {
    return post("/v1/chat/completions", fmt::format(R"({{"messages": [{{"role": "user", "content": "abc"}},
        {{"role": "assistant", "content": "{}"}}], "max_tokens": 3, "continue_final_message": true}})",
                                                    last));
  };
  const Answer after = message("<think>Hm.</think>Well");
  EXPECT_EQ(after.at("/choices/0/message/content"), "abc") << after.body();
  EXPECT_EQ(message("Well").at("/choices/0/message/content"), "abc");
  const Answer within = message("<think>Hm");
  EXPECT_EQ(within.at("/choices/0/message/reasoning_content"), "abc") << within.body();
  EXPECT_EQ(within.at("/choices/0/message/content"), "");
}

TEST_F(OpenAiFields, AChatEchoesWhatTheAssistantBegan) {
  const auto content = [&](std::string_view more) {
    return post(kChatsPath,
                fmt::format(R"({{{}, "max_tokens": 1, "logprobs": true, {}}})", kOpenEnd, more));
  };
  const Answer echoed = content(R"("continue_final_message": true, "echo": true)");
  EXPECT_EQ(echoed.at("/choices/0/message/content"), "bc a");
  EXPECT_EQ(echoed.at("/choices/0/logprobs/content/1"), "absent");  // those of the answer alone
  EXPECT_EQ(content(R"("echo": false)").at("/choices/0/message/content"), "a");
  EXPECT_EQ(chat(R"("echo": true, "max_tokens": 1)").at("/choices/0/message/content"), "a");
}

TEST_F(OpenAiFields, TemplatesSeeTheirVariables) {
  const auto last_tokens = [&](std::string_view closing) {
    return post("/tokenize", fmt::format(R"({{"messages": [{{"role": "user", "content": "a"}}],
                               "chat_template_kwargs": {{"closing": {}, "unused": [1, {{"a": null}}]}}}})",
                                         closing))
        .at("/tokens");
  };
  EXPECT_EQ(last_tokens(R"("xy")"), "[97,256,120,121]");
  EXPECT_EQ(last_tokens("12"), "[97,256,49,50]");
  EXPECT_EQ(last_tokens(R"("<|end|>")"),
            "[97,256,60,124,101,110,100,124,62]");  // text of a client stays text
}

}  // namespace
}  // namespace quire
