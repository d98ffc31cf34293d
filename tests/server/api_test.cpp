#include "server/api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class ApiTest : public ApiFixture {};

TEST_F(ApiTest, ModelsAreListed) {
  const Answer list = get("/v1/models");
  EXPECT_EQ(list.at("/object"), "list");
  EXPECT_EQ(list.at("/data/0/id"), "echo");
  EXPECT_EQ(list.at("/data/1/id"), "alias");
  EXPECT_EQ(list.at("/data/0/object"), "model");
  EXPECT_EQ(list.at("/data/0/max_model_len"), "256");
  EXPECT_EQ(list.at("/first_id"), "echo");
  EXPECT_EQ(list.at("/last_id"), "alias");
  EXPECT_EQ(list.at("/has_more"), "false");
  const Answer alias = get("/v1/models/alias");
  EXPECT_EQ(alias.at("/id"), "alias");
  EXPECT_EQ(alias.at("/display_name"), "alias");
  EXPECT_THAT(alias.at("/created_at"), MatchesRegex("20..-..-..T..:..:..Z"));
  const Answer unknown = get("/v1/models/other");
  EXPECT_EQ(unknown.status(), 404);
  EXPECT_EQ(unknown.at("/error/code"), "model_not_found");
}

TEST_F(ApiTest, TellsHowItIs) {
  EXPECT_EQ(get("/live").status(), 200);
  EXPECT_EQ(get("/ready").status(), 200);
  EXPECT_EQ(get("/health").status(), 200);
  EXPECT_EQ(get("/version").at("/version"), QUIRE_VERSION);
  EXPECT_THAT(get("/metrics").body(), HasSubstr("vllm:num_requests_running{model_name=\"echo\"}"));
}

TEST_F(ApiTest, UnknownFieldsAreIgnoredWhereTheOperatorSaysSo) {
  ServerConfig lenient = config;
  lenient.ignore_unknown_fields = true;
  Api api(lenient, model.clock, model.metrics);
  api.serve(served);
  const auto status = [&](std::string_view body) {
    const RequestHead head{HttpMethod::kPost, "/v1/chat/completions", {}, "application/json"};
    const Api::Reply reply = api.handle(head, body);
    const auto* response = std::get_if<HttpResponse>(&reply);
    return response ? response->status : 200;
  };
  EXPECT_EQ(status(R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "new": 1}],
                        "new": {}}], "new": 1, "stream": true, "stream_options": {"new": []}})"),
            200);
  EXPECT_EQ(status(R"({"messages": [{"role": "user", "content": "a"}], "temperature": "hot", "new": 1})"),
            400);
}

TEST_F(ApiTest, ThePageIsAtTheRoot) {
  EXPECT_THAT(get("/").body(), StartsWith("<!doctype html>"));
  EXPECT_EQ(get("/page/nothing.js").status(), 404);
  EXPECT_EQ(post("/", "{}").status(), 405);
  const RequestHead head{HttpMethod::kGet, "/", {}, {}, {}, "*"};
  EXPECT_EQ(std::get<HttpResponse>(api.handle(head, {})).status, 304);
}

TEST_F(ApiTest, Tokenizes) {
  const Answer plain = post("/tokenize", R"({"prompt": "hi<|end|>", "parse_special": false})");
  EXPECT_EQ(plain.at("/count"), "9");
  EXPECT_EQ(plain.at("/max_model_len"), "256");
  EXPECT_EQ(plain.at("/token_strs"), "null");
  const Answer special = post("/tokenize", R"({"prompt": "h <|end|>", "return_token_strs": true})");
  EXPECT_EQ(special.at("/tokens"), "[104,32,256]");
  EXPECT_EQ(
      post("/v1/completions", R"({"prompt": "h <|end|>", "max_tokens": 1})").at("/usage/prompt_tokens"),
      special.at("/count"));
  EXPECT_EQ(special.at("/token_strs"), R"(["h","Ġ","<|end|>"])");
  const Answer chat = post("/tokenize", R"({"messages": [{"role": "user", "content": "<|end|>"}]})");
  EXPECT_EQ(chat.at("/count"),
            "8");  // the seven characters that the user wrote, and the template's own token
  EXPECT_EQ(chat.at("/tokens/7"), "256");
  EXPECT_EQ(post("/tokenize", R"({"prompt": ""})").at("/tokens"), "[]");
  EXPECT_EQ(post("/detokenize", R"({"tokens": [104, 105, 256]})").at("/prompt"), "hi<|end|>");
  EXPECT_EQ(post("/detokenize", R"({"tokens": [195]})").at("/prompt"), "\xEF\xBF\xBD");
  EXPECT_EQ(post("/detokenize", R"({"tokens": []})").at("/prompt"), "");
}

TEST_F(ApiTest, AContextThatIsExceededHasACodeOfItsOwn) {
  for (const char* body :
       {R"({"prompt": "a", "max_tokens": 256})", R"({"prompt": "a b c d", "max_tokens": 255})"}) {
    const Answer refused = post("/v1/completions", body);
    EXPECT_EQ(refused.status(), 400);
    EXPECT_EQ(refused.at("/error/code"), "context_length_exceeded");
  }
  const Answer beside = post("/v1/completions", R"({"prompt": "a", "max_tokens": -1})");
  EXPECT_EQ(beside.at("/error/code"), "null");
}

TEST_F(ApiTest, TellsOfTheTokenizer) {
  const Answer info = get("/tokenizer_info");
  EXPECT_EQ(info.status(), 200);
  EXPECT_EQ(info.at("/eos_token"), "<|end|>");
  EXPECT_EQ(info.at("/bos_token"), "null");
  EXPECT_EQ(info.at("/model_max_length"), "256");
}

TEST_F(ApiTest, CompletesText) {
  const Answer answer = post("/v1/completions", R"({"model": "alias", "prompt": "abc", "max_tokens": 7})");
  EXPECT_THAT(answer.at("/id"), StartsWith("cmpl-"));
  EXPECT_EQ(answer.at("/object"), "text_completion");
  EXPECT_EQ(answer.at("/model"), "alias");
  EXPECT_EQ(answer.at("/system_fingerprint"), served.fingerprint);
  EXPECT_EQ(answer.at("/choices/0/text"), "abcabca");
  EXPECT_EQ(answer.at("/choices/0/finish_reason"), "length");
  EXPECT_EQ(answer.at("/choices/0/logprobs"), "null");
  EXPECT_EQ(answer.at("/choices/0/stop_reason"), "null");
  EXPECT_EQ(answer.at("/choices/0/token_ids"), "absent");
  EXPECT_EQ(answer.at("/choices/1"), "absent");
  EXPECT_EQ(answer.at("/usage"), usage_json(3, 7));
  EXPECT_EQ(post("/v1/completions", R"({"prompt": "abc"})").at("/usage/completion_tokens"), "16");
}

TEST_F(ApiTest, CompletionsStop) {
  const auto finish = [&](const char* body) {
    const Answer answer = post("/v1/completions", body);
    return fmt::format("{}|{}|{}", answer.at("/choices/0/text"), answer.at("/choices/0/finish_reason"),
                       answer.at("/choices/0/stop_reason"));
  };
  EXPECT_EQ(finish(R"({"prompt": "ab<|end|>c"})"), "ab|stop|null");
  EXPECT_EQ(finish(R"({"prompt": "ab<|end|>c", "ignore_eos": true, "max_tokens": 4})"), "abc|length|null");
  EXPECT_EQ(finish(R"({"prompt": "abcd", "stop": "cd"})"), "ab|stop|cd");
  EXPECT_EQ(finish(R"({"prompt": "abcd", "stop": ["x", "da"]})"), "abc|stop|da");
  EXPECT_EQ(finish(R"({"prompt": "abcd", "stop": "c", "include_stop_str_in_output": true})"), "abc|stop|c");
  EXPECT_EQ(finish(R"({"prompt": "abcd", "stop_token_ids": [99]})"), "ab|stop|99");
}

TEST_F(ApiTest, CompletesBatchesAndTokenIds) {
  const Answer texts = post("/v1/completions", R"({"prompt": ["ab", "xyz"], "n": 2, "max_tokens": 3})");
  EXPECT_EQ(texts.at("/choices/0/text"), "aba");
  EXPECT_EQ(texts.at("/choices/1/text"), "aba");
  EXPECT_EQ(texts.at("/choices/2/text"), "xyz");
  EXPECT_EQ(texts.at("/choices/3/text"), "xyz");
  EXPECT_EQ(texts.at("/choices/3/index"), "3");
  EXPECT_EQ(texts.at("/choices/4"), "absent");
  EXPECT_EQ(texts.at("/usage"), usage_json(5, 12));
  const Answer ids =
      post("/v1/completions", R"({"prompt": [97, 256, 98], "max_tokens": 2, "return_token_ids": true})");
  EXPECT_EQ(ids.at("/choices/0/text"), "a");
  EXPECT_EQ(ids.at("/choices/0/token_ids"), "[97,256]");
  EXPECT_EQ(ids.at("/choices/0/prompt_token_ids"), "[97,256,98]");
  const Answer lists = post("/v1/completions", R"({"prompt": [[97], [98, 99]], "max_tokens": 2})");
  EXPECT_EQ(lists.at("/choices/0/text"), "aa");
  EXPECT_EQ(lists.at("/choices/1/text"), "bc");
}

TEST_F(ApiTest, CompletionLogprobsAndEcho) {
  const Answer plain = post("/v1/completions", R"({"prompt": "ab", "max_tokens": 2, "logprobs": 2})");
  EXPECT_EQ(plain.at("/choices/0/logprobs"),
            R"({"tokens":["a","b"],"token_logprobs":[-0.5,-0.5],)"
            R"("top_logprobs":[{"a":-0.5,"b":-1.5},{"b":-0.5,"c":-1.5}],"text_offset":[0,1]})");
  const Answer echoed =
      post("/v1/completions", R"({"prompt": "éb", "max_tokens": 1, "logprobs": 0, "echo": true})");
  EXPECT_EQ(echoed.at("/choices/0/text"), "éb\xEF\xBF\xBD");  // half a character, and no more comes
  EXPECT_EQ(echoed.at("/choices/0/logprobs/tokens"), R"(["bytes:\\xc3","bytes:\\xa9","b","bytes:\\xc3"])");
  EXPECT_EQ(echoed.at("/choices/0/logprobs/token_logprobs"), "[null,-1,-2,-0.5]");
  EXPECT_EQ(echoed.at("/choices/0/logprobs/top_logprobs/0"), "null");
  EXPECT_EQ(echoed.at("/choices/0/logprobs/top_logprobs/2"), R"({"b":-2})");
  EXPECT_EQ(echoed.at("/choices/0/logprobs/text_offset"), "[0,1,1,2]");  // characters that begin before
  EXPECT_EQ(echoed.at("/usage/completion_tokens"), "1");
  EXPECT_EQ(echoed.at("/choices/0/prompt_logprobs"), "absent");
  const Answer each =
      post("/v1/completions", R"({"prompt": "ab", "n": 2, "max_tokens": 1, "logprobs": 1, "echo": true})");
  EXPECT_EQ(each.at("/choices/1/logprobs/token_logprobs"), "[null,-1,-0.5]");
  EXPECT_EQ(each.at("/choices/1/logprobs/top_logprobs/1"), R"({"b":-1})");
}

TEST_F(ApiTest, EchoedTokensAreThePromptsOwn) {
  const Answer answer = post("/v1/completions", R"({"prompt": "abc", "max_tokens": 2, "logprobs": 0,
                                                   "echo": true, "return_token_ids": true})");
  EXPECT_EQ(answer.at("/choices/0/logprobs/tokens"), R"(["a","b","c","a","b"])");
  EXPECT_EQ(answer.at("/choices/0/prompt_token_ids"), "[97,98,99]");
  EXPECT_EQ(answer.at("/choices/0/token_ids"), "[97,98]");
}

TEST_F(ApiTest, EchoAloneIsForScoring) {
  const Answer answer =
      post("/v1/completions", R"({"prompt": "abc", "max_tokens": 0, "logprobs": 1, "echo": true})");
  EXPECT_EQ(answer.at("/choices/0/text"), "abc");
  EXPECT_EQ(answer.at("/choices/0/finish_reason"), "length");
  EXPECT_EQ(answer.at("/choices/0/logprobs/token_logprobs"), "[null,-1,-2]");
  EXPECT_EQ(answer.at("/usage/completion_tokens"), "0");
}

TEST_F(ApiTest, PromptLogprobsByName) {
  const Answer answer =
      post("/v1/completions", R"({"prompt": "ab", "max_tokens": 1, "prompt_logprobs": 2})");
  EXPECT_EQ(answer.at("/choices/0/prompt_logprobs"),
            R"([null,{"98":{"logprob":-1,"decoded_token":"b"},"99":{"logprob":-2,"decoded_token":"c"}}])");
  const Answer chat = post("/v1/chat/completions",
                           R"({"messages": [{"role": "user", "content": "a"}], "prompt_logprobs": 0})");
  EXPECT_EQ(chat.at("/prompt_logprobs/1/256/decoded_token"), "<|end|>");
}

TEST_F(ApiTest, ManyContentPartsAreReadInLinearTime) {
  std::string parts = R"({"type":"text","text":"twenty bytes of text"})";
  for (int i = 1; i < 200'000; ++i) parts += R"(,{"type":"text","text":"twenty bytes of text"})";
  const Answer answer =
      post("/v1/chat/completions",
           fmt::format(R"({{"messages": [{{"role": "user", "content": [{}]}}]}})", parts));
  EXPECT_EQ(answer.status(), 400);
  EXPECT_EQ(answer.at("/error/param"), "messages");
}

TEST_F(ApiTest, ADeveloperSpeaksAsTheSystem) {
  const auto prompt_of = [&](std::string_view role) {
    return post("/v1/chat/completions",
                fmt::format(
                    R"({{"messages": [{{"role": "user", "content": "a"}}, {{"role": "{}", "content": "b"}}],
                                "max_tokens": 1, "return_token_ids": true}})",
                    role))
        .at("/prompt_token_ids");
  };
  EXPECT_EQ(prompt_of("developer"), prompt_of("system"));
  EXPECT_NE(prompt_of("developer"), prompt_of("user"));
}

TEST_F(ApiTest, Chats) {
  const Answer answer = post("/v1/chat/completions",
                             R"({"messages": [{"role": "system", "content": "one"},
                       {"role": "user", "content": [{"type": "text", "text": "a"},
                                                     {"type": "text", "text": "b"}]}],
          "logprobs": true, "top_logprobs": 1, "return_token_ids": true})");
  EXPECT_THAT(answer.at("/id"), StartsWith("chatcmpl-"));
  EXPECT_EQ(answer.at("/object"), "chat.completion");
  EXPECT_EQ(answer.at("/model"), "echo");
  EXPECT_EQ(answer.at("/choices/0/message"), R"({"role":"assistant","content":"one","refusal":null})");
  EXPECT_EQ(answer.at("/choices/0/finish_reason"), "stop");
  EXPECT_EQ(answer.at("/choices/0/token_ids"), "[111,110,101,256]");
  EXPECT_EQ(answer.at("/choices/0/logprobs/content/0"),
            R"({"token":"o","logprob":-0.5,"bytes":[111],)"
            R"("top_logprobs":[{"token":"o","logprob":-0.5,"bytes":[111]}]})");
  EXPECT_EQ(answer.at("/choices/0/logprobs/content/3/token"), "<|end|>");
  EXPECT_EQ(answer.at("/prompt_token_ids"), "[111,110,101,256,257,117,115,101,114,97,10,98,256]");
  EXPECT_EQ(answer.at("/usage/completion_tokens"), "4");
}

TEST_F(ApiTest, AChatMayFillTheContext) {
  const Answer all = post("/v1/chat/completions",
                          R"({"messages": [{"role": "user", "content": "abc"}], "ignore_eos": true})");
  EXPECT_EQ(all.at("/usage"), usage_json(4, 252));
  EXPECT_EQ(all.at("/choices/0/finish_reason"), "length");
  const Answer some = post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "abc"}],
                           "ignore_eos": true, "max_completion_tokens": 5, "max_tokens": 5})");
  EXPECT_EQ(some.at("/usage/completion_tokens"), "5");
}

TEST_F(ApiTest, NeutralFieldsOfLaterFeaturesAreTaken) {
  const Answer answer = post("/v1/chat/completions", R"({
      "messages": [{"role": "assistant", "content": "a", "refusal": null, "tool_calls": null, "audio": null,
                    "annotations": [], "function_call": null}],
      "tools": [], "tool_choice": "none", "functions": null, "response_format": {"type": "text"},
      "modalities": ["text"], "web_search_options": null, "temperature": null, "stop": null,
      "logit_bias": {}, "stream_options": null})");
  EXPECT_EQ(answer.status(), 200) << answer.body();
}

// With the member that OpenAI's client adds.
TEST_F(ApiTest, ParsedMessagesComeBack) {
  const Answer answer = post("/tokenize", R"({"messages": [{"role": "assistant", "content": "{}",
      "parsed": {"a": [1]}}]})");
  EXPECT_EQ(answer.status(), 200) << answer.body();
}

TEST_F(ApiTest, WhatOthersRefusedIsAText) {
  const auto tokens = [this](std::string_view rest) {
    return post("/tokenize", fmt::format(R"({{"messages": [{{"role": "assistant", {}}}]}})", rest))
        .at("/tokens");
  };
  const std::string said = tokens(R"("content": "No.")");
  EXPECT_THAT(said, StartsWith("["));
  EXPECT_EQ(tokens(R"("content": null, "refusal": "No.")"), said);
  EXPECT_EQ(tokens(R"("content": [{"type": "refusal", "refusal": "No."}])"), said);
  EXPECT_EQ(tokens(R"("content": "No.", "refusal": null)"), said);
  EXPECT_EQ(tokens(R"("content": "No.", "refusal": "")"), said);
  EXPECT_EQ(tokens(R"("content": [], "refusal": "No.")"), said);
  EXPECT_EQ(tokens(R"("refusal": "b", "content": [{"type": "text", "text": "a"}])"),
            tokens(R"("content": "a\nb")"));
  const Answer textless = post("/v1/chat/completions", R"({"messages": [
      {"role": "assistant", "content": [{"type": "refusal", "text": "No."}]}]})");
  EXPECT_THAT(textless.at("/error/message"), HasSubstr("unknown field 'text' in a content part"));
}

class SmallQueueTest : public ApiFixture {
 protected:
  SmallQueueTest() : ApiFixture({.max_num_seqs = 1, .max_queue = 2}) {}
};
TEST_F(SmallQueueTest, AFullQueueIsA429ForAWholeBatch) {
  // Nobody waits, so even a batch beyond max_queue comes in: it could never be asked for otherwise.
  const RequestHead head{HttpMethod::kPost, "/v1/completions", {}, "application/json"};
  const auto first = api.handle(head, R"({"prompt": ["a", "b", "c", "d"]})");
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<AnswerRun>>(first));
  const Answer answer = post("/v1/completions", R"({"prompt": ["a", "b"]})");
  EXPECT_EQ(answer.status(), 429);
  EXPECT_EQ(answer.at("/error/type"), "rate_limit_error");
  EXPECT_EQ(answer.at("/error/code"), "queue_full");
  while (model.handle.engine->step()) {
  }
  EXPECT_EQ(post("/v1/completions", R"({"prompt": ["a", "b"]})").status(), 200);
}

class SmallPoolTest : public ApiFixture {
 protected:
  SmallPoolTest() : ApiFixture({.num_blocks = 4, .max_model_len = 64}) {}
};

TEST_F(SmallPoolTest, WithoutMaxTokensARequestTakesWhatThePoolLeaves) {
  const Answer answer =
      post("/v1/chat/completions",
           R"({"messages": [{"role": "user", "content": "a"}], "n": 2, "ignore_eos": true})");
  EXPECT_EQ(answer.status(), 200) << answer.body();
  EXPECT_EQ(answer.at("/usage/completion_tokens"),
            "62");  // twice 2 blocks of 16, less the prompt, and one more each
  const Answer asked =
      post("/v1/chat/completions",
           R"({"messages": [{"role": "user", "content": "a"}], "n": 2, "max_tokens": 50})");
  EXPECT_EQ(asked.status(), 400);
}

class BosTest : public ApiFixture {
 protected:
  BosTest() : ApiFixture({.has_template = false, .add_bos = true}) {}
};

TEST_F(BosTest, TextsGetTheModelsBos) {
  EXPECT_EQ(post("/tokenize", R"({"prompt": "a"})").at("/tokens"), "[257,97]");
  EXPECT_EQ(post("/tokenize", R"({"prompt": "a", "add_special_tokens": false})").at("/tokens"), "[97]");
  const Answer answer =
      post("/v1/completions", R"({"prompt": "ab", "max_tokens": 2, "echo": true, "logprobs": 0})");
  EXPECT_EQ(answer.at("/usage/prompt_tokens"), "3");
  EXPECT_EQ(answer.at("/choices/0/text"), "aba");
  EXPECT_EQ(answer.at("/choices/0/logprobs/tokens"), R"(["<|turn|>","a","b","<|turn|>","a"])");
  EXPECT_EQ(answer.at("/choices/0/logprobs/text_offset"), "[0,0,1,2,2]");
  EXPECT_EQ(post("/v1/completions", R"({"prompt": [97], "max_tokens": 1})").at("/usage/prompt_tokens"),
            "1");
}

TEST_F(BosTest, WithoutATemplateThereIsNoChat) {
  const Answer answer = post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "a"}]})");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_THAT(answer.at("/error/message"), HasSubstr("no chat template"));
}

TEST_F(ApiTest, BeamsAnswerAllAtOnceAndBestFirst) {
  const std::string asked = R"({"prompt": "abc", "max_tokens": 4, "use_beam_search": true, "n": 2)";
  const Answer whole = post("/v1/completions", asked + R"(, "logprobs": 0})");
  EXPECT_EQ(whole.at("/choices/0/text"), "abca");
  EXPECT_EQ(whole.at("/choices/0/finish_reason"), "length");
  EXPECT_EQ(whole.at("/choices/0/logprobs/token_logprobs/3"), "-0.5");
  EXPECT_NE(whole.at("/choices/1/text"), "abca");
  EXPECT_EQ(whole.at("/usage/completion_tokens"), "8");
  const Answer stream = post("/v1/completions", asked + R"(, "stream": true})");
  EXPECT_THAT(stream.body(), HasSubstr("\"text\":\"abca\""));
  EXPECT_THAT(stream.body(), HasSubstr("[DONE]"));
}

TEST_F(ApiTest, TheBestOfMoreAreReturned) {
  const Answer best =
      post("/v1/completions", R"({"prompt": "abc", "max_tokens": 4, "best_of": 4, "n": 2, "stop": "ca"})");
  EXPECT_EQ(best.status(), 200);
  EXPECT_EQ(best.at("/choices/1/text"), "ab");
  EXPECT_EQ(best.at("/choices/1/finish_reason"), "stop");
  EXPECT_EQ(best.at("/choices/2"), "absent");
}

}  // namespace
}  // namespace quire
