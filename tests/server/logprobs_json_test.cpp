#include "server/generation/logprobs_json.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/server/echo_model_fixture.h"

namespace quire {
namespace {

class LogprobsJson : public testing::Test {
 protected:
  LogprobsJson() : model({.start = false}), tokenizer(*model.handle.tokenizer) {}

  template <class Write>
  std::string written(Write&& write) {
    std::string out;
    JsonWriter json(out);
    write(json);
    return out;
  }

  EchoModel model;
  const Tokenizer& tokenizer;
};

TEST_F(LogprobsJson, SpellsTokens) {
  EXPECT_EQ(token_text(tokenizer, 'a'), "a");
  EXPECT_EQ(token_text(tokenizer, 0xC3), "bytes:\\xc3");
  EXPECT_EQ(token_text(tokenizer, kEndToken), "<|end|>");
  EXPECT_EQ(num_characters(tokenizer, 'a', true), 1);
  EXPECT_EQ(num_characters(tokenizer, 0xC3, true), 1);  // begins a character
  EXPECT_EQ(num_characters(tokenizer, 0xA9, true), 0);  // goes on with it
  EXPECT_EQ(num_characters(tokenizer, kEndToken, true), 0);
  EXPECT_EQ(num_characters(tokenizer, kEndToken, false), 7);
}

TEST_F(LogprobsJson, Completions) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<OutputToken> tokens = {
      {'a', std::numeric_limits<float>::quiet_NaN(), {}, 0},
      {'b', -0.5F, {{'b', -0.5F}, {'c', -1.5F}}, 1},
      {'d', -infinity, {{'c', -0.25F}}, 2},
  };
  EXPECT_EQ(written([&](JsonWriter& json) { write_completion_logprobs(json, tokenizer, tokens); }),
            R"({"tokens":["a","b","d"],"token_logprobs":[null,-0.5,-9999],)"
            R"("top_logprobs":[null,{"b":-0.5,"c":-1.5},{"c":-0.25,"d":-9999}],"text_offset":[0,1,2]})");
}

TEST_F(LogprobsJson, Chat) {
  const std::vector<OutputToken> tokens = {{0xC3, -0.5F, {{'b', -1.5F}}, 0}};
  EXPECT_EQ(written([&](JsonWriter& json) { write_chat_logprobs(json, tokenizer, tokens); }),
            R"({"content":[{"token":"bytes:\\xc3","logprob":-0.5,"bytes":[195],)"
            R"("top_logprobs":[{"token":"b","logprob":-1.5,"bytes":[98]}]}]})");
}

TEST_F(LogprobsJson, Prompts) {
  const std::vector<Generation::PromptToken> tokens = {{1, 'b', -1.0F, {{'b', -1.0F}, {'c', -2.0F}}}};
  EXPECT_EQ(written([&](JsonWriter& json) { write_prompt_logprobs(json, tokenizer, tokens); }),
            R"([null,{"98":{"logprob":-1,"decoded_token":"b"},"99":{"logprob":-2,"decoded_token":"c"}}])");
}

}  // namespace
}  // namespace quire
