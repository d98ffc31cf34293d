// /v1/embeddings. EchoModel's embedding of a text is its number of tokens, its first token and its last one,
// cut and scaled to length 1; a byte is a token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class EmbeddingApiTest : public ApiFixture {
 protected:
  Answer embed(std::string_view body) const { return post("/v1/embeddings", body); }

  static double number(const Answer& answer, std::string_view pointer) {
    const std::string text = answer.at(pointer);
    return text == "absent" ? std::nan("") : std::stod(text);
  }
};

TEST_F(EmbeddingApiTest, OneVectorAnInput) {
  const Answer one = embed(R"({"input": "abc", "model": "alias", "user": "me"})");
  ASSERT_EQ(one.status(), 200) << one.body();
  EXPECT_EQ(one.at("/object"), "list");
  EXPECT_EQ(one.at("/model"), "alias");
  EXPECT_EQ(one.at("/data/0/object"), "embedding");
  EXPECT_EQ(one.at("/data/0/index"), "0");
  EXPECT_EQ(one.at("/data/1"), "absent");
  EXPECT_EQ(one.at("/usage/prompt_tokens"), "3");
  EXPECT_EQ(one.at("/usage/total_tokens"), "3");
  const double x = number(one, "/data/0/embedding/0"), y = number(one, "/data/0/embedding/1"),
               z = number(one, "/data/0/embedding/2");
  EXPECT_NEAR(x * x + y * y + z * z, 1, 1e-6);
  EXPECT_NEAR(
      z / y,
      double(model.handle.tokenizer->encode("c", false)[0]) / model.handle.tokenizer->encode("a", false)[0],
      1e-5);
  EXPECT_EQ(one.at("/data/0/embedding/3"), "absent");
}

TEST_F(EmbeddingApiTest, ATraceKnowsWhenInputsWereRead) {
  const RequestHead head{HttpMethod::kPost, "/v1/embeddings", {}, "application/json"};
  Api::Reply reply = api.handle(head, R"({"input": ["ab", "c"]})");
  auto& run = *std::get<std::unique_ptr<AnswerRun>>(reply);
  EXPECT_EQ(run.trace()->times.first_scheduled_ns, 0);
  std::string body;
  while (run.advance(body) == AnswerRun::Progress::kMore) ASSERT_TRUE(model.handle.engine->step());
  const auto trace = run.trace();
  ASSERT_TRUE(trace);
  EXPECT_GT(trace->times.submitted_ns, 0);
  EXPECT_GE(trace->times.first_scheduled_ns, trace->times.submitted_ns);
  EXPECT_GE(trace->times.first_token_ns, trace->times.first_scheduled_ns);
  EXPECT_EQ(trace->times.last_token_ns, 0) << "nothing is decoded";
  EXPECT_EQ(trace->embedding_width, 3);
  EXPECT_EQ(trace->input_tokens, 3);
  EXPECT_EQ(trace->model, "echo");
}

TEST_F(EmbeddingApiTest, InputsOfEveryKind) {
  const Answer texts = embed(R"({"input": ["a", "bb", "a"]})");
  EXPECT_EQ(texts.at("/data/2/index"), "2");
  EXPECT_EQ(texts.at("/data/0/embedding"), texts.at("/data/2/embedding"));
  EXPECT_NE(texts.at("/data/0/embedding"), texts.at("/data/1/embedding"));
  EXPECT_EQ(texts.at("/usage/prompt_tokens"), "4");
  const Answer ids = embed(R"({"input": [5, 6, 7]})");
  EXPECT_EQ(ids.at("/data/1"), "absent");
  const Answer lists = embed(R"({"input": [[5, 6, 7], [8]]})");
  EXPECT_EQ(lists.at("/data/0/embedding"), ids.at("/data/0/embedding"));
  EXPECT_EQ(lists.at("/usage/total_tokens"), "4");
}

TEST_F(EmbeddingApiTest, FewerDimensionsAreScaledAgain) {
  const Answer cut = embed(R"({"input": [3, 4], "dimensions": 2})");
  EXPECT_EQ(cut.at("/data/0/embedding/2"), "absent");
  // 2 tokens, the first of them 3.
  EXPECT_NEAR(number(cut, "/data/0/embedding/0"), 2 / std::sqrt(13), 1e-6);
  EXPECT_NEAR(number(cut, "/data/0/embedding/1"), 3 / std::sqrt(13), 1e-6);
  EXPECT_EQ(embed(R"({"input": [3, 4], "dimensions": 1})").at("/data/0/embedding"), "[1]");
}

TEST_F(EmbeddingApiTest, Base64OfLittleEndianFloats) {
  // 1.0F is 00 00 80 3F.
  const Answer one = embed(R"({"input": [3, 4], "dimensions": 1, "encoding_format": "base64"})");
  EXPECT_EQ(one.at("/data/0/embedding"), "AACAPw==");
}

TEST_F(EmbeddingApiTest, TruncationKeepsTheBeginning) {
  const Answer first = embed(R"({"input": [3, 4, 5], "truncate_prompt_tokens": 2})");
  EXPECT_EQ(first.at("/data/0/embedding"), embed(R"({"input": [3, 4]})").at("/data/0/embedding"));
  EXPECT_EQ(first.at("/usage/prompt_tokens"), "2");
  EXPECT_EQ(embed(R"({"input": "ab", "truncate_prompt_tokens": 9})").at("/usage/prompt_tokens"), "2");
  // The context of 256 holds a token after the prompt.
  const std::string long_text(100'000, 'a');
  const auto cut_to = [&](int32_t kept) {
    return embed(fmt::format(R"({{"input": "{}", "truncate_prompt_tokens": {}}})", long_text, kept));
  };
  EXPECT_EQ(cut_to(-1).at("/usage/prompt_tokens"), "255");
  EXPECT_EQ(cut_to(255).at("/usage/prompt_tokens"), "255");
  EXPECT_EQ(cut_to(256).at("/error/param"), "input");
  EXPECT_EQ(cut_to(0).at("/error/param"), "truncate_prompt_tokens");
}

TEST_F(EmbeddingApiTest, AnAnswerThatIsDroppedGivesItsBlocksBack) {
  Api::Reply reply = api.handle({HttpMethod::kPost, "/v1/embeddings", {}, "application/json"},
                                R"({"input": ["one", "two"]})");
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<AnswerRun>>(reply));
}  // the fixture waits for the blocks

TEST_F(EmbeddingApiTest, BadRequestsNameTheField) {
  const std::string long_text(256, 'a');
  struct Case {
    std::string body, param, message;
  };
  const Case cases[] = {
      {"{}", "input", "input is required"},
      {R"({"input": null})", "input", "input is required"},
      {R"({"input": ""})", "input", "an input is empty"},
      {R"({"input": []})", "input", "must not be empty"},
      {R"({"input": [""]})", "input", "an input is empty"},
      {R"({"input": ["a", ""]})", "input", "an input is empty"},
      {R"({"input": [[]]})", "input", "an input is empty"},
      {R"({"input": 5})", "input", "input must be a string, an array of strings, or token ids"},
      {R"({"input": {"text": "a"}})", "input", "but is an object"},
      {R"({"input": ["a", 5]})", "input", "of one kind"},
      {R"({"input": [5, "a"]})", "input", "must be an integer"},
      {R"({"input": [true]})", "input", "each input must be"},
      {R"({"input": [258]})", "input", "the token id 258"},
      {R"({"input": [-1]})", "input", "the token id -1"},
      {R"({"input": [[1], [999]]})", "input", "the token id 999"},
      {fmt::format(R"({{"input": "{}"}})", long_text), "input",
       "it has 256 tokens, but the context holds 256"},
      {R"({"input": "a", "dimensions": 0})", "dimensions", "at least 1"},
      {R"({"input": "a", "dimensions": -3})", "dimensions", "at least 1"},
      {R"({"input": "a", "dimensions": 4})", "dimensions", "at most 3"},
      {R"({"input": "a", "dimensions": 1.5})", "dimensions", "must be an integer"},
      {R"({"input": "a", "dimensions": "2"})", "dimensions", "must be an integer"},
      {R"({"input": "a", "encoding_format": "int8"})", "encoding_format", "float or base64"},
      {R"({"input": "a", "encoding_format": 1})", "encoding_format", "must be a string"},
      {R"({"input": "a", "pooling": "max"})", "pooling", "mean, last or cls"},
      {R"({"input": "a", "user": 1})", "user", "must be a string"},
      {R"({"input": "a", "add_special_tokens": 1})", "add_special_tokens", "true or false"},
      {R"({"input": "a", "priority": 1})", "priority", "unknown field"},
      {R"({"input": "a", "cache_salt": ""})", "cache_salt", "1 to 256 bytes"},
      {R"({"input": "a", "inputs": "b"})", "inputs", "did you mean 'input'?"},
      {R"({"input": "a", "max_tokens": 5})", "max_tokens", "unknown field"},
  };
  for (const Case& bad : cases) {
    const Answer answer = embed(bad.body);
    EXPECT_EQ(answer.status(), 400) << bad.body;
    EXPECT_EQ(answer.at("/error/param"), bad.param) << bad.body;
    EXPECT_THAT(answer.at("/error/message"), HasSubstr(bad.message)) << bad.body;
  }
  EXPECT_EQ(embed(R"({"input": "a", "model": "other"})").status(), 404);
}

}  // namespace
}  // namespace quire
