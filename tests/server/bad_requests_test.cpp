#include "tests/server/bad_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;

class BadRequests : public ApiFixture {};

TEST_F(BadRequests, EachGetsItsErrorAndTheEngineNeverHearsOfIt) {
  EXPECT_GE(bad_requests().size(), 150u);
  for (const auto& bad : bad_requests()) {
    SCOPED_TRACE(fmt::format("{} {}", bad.path, bad.body.substr(0, 200)));
    const Answer answer = post(bad.path, bad.body);
    EXPECT_EQ(answer.status(), bad.status) << answer.body().substr(0, 200);
    EXPECT_THAT(answer.at("/error/message"), HasSubstr(bad.message));
    EXPECT_EQ(answer.at("/error/param"), bad.param.empty() ? "null" : bad.param);
    EXPECT_EQ(answer.at("/error/type"), bad.status == 404 ? "not_found_error" : "invalid_request_error");
    EXPECT_LT(answer.body().size(), 1000u) << "a message repeats too much of what the client sent";
  }
  EXPECT_FALSE(model.handle.engine->step());
  EXPECT_EQ(model.handle.engine->stats().num_steps, 0);
}

TEST_F(BadRequests, ValuesAtTheBoundsAreTaken) {
  for (const char* field : {
           R"("temperature": 0)",
           R"("temperature": 2)",
           R"("temperature": 2.0)",
           R"("top_p": 1)",
           R"("top_p": 1e-9)",
           R"("top_k": -1)",
           R"("top_k": 0)",
           R"("top_k": 2147483647)",
           R"("min_p": 0)",
           R"("min_p": 1)",
           R"("presence_penalty": -2)",
           R"("presence_penalty": 2)",
           R"("frequency_penalty": -2)",
           R"("frequency_penalty": 2)",
           R"("repetition_penalty": 2)",
           R"("n": 8)",
           R"("best_of": 1)",
           R"("seed": -9223372036854775808)",
           R"("seed": 9223372036854775807)",
           R"("seed": 18446744073709551615)",
           R"("logprobs": 20)",
           R"("logprobs": 0)",
           R"("max_tokens": 255)",
           R"("max_tokens": 1)",
           R"("min_tokens": 16)",
           R"("min_tokens": 0)",
           R"("logit_bias": {"257": -100, "0": 100})",
           R"("stop": ["a1","a2","a3","a4","a5","a6","a7","a8","a9","b1","b2","b3","b4","b5","b6","b7"])",
           R"("stop_token_ids": [0, 257])",
           R"("user": "")",
           R"("suffix": null)",
           R"("suffix": "")",
           R"("max_tokens": 1, "structured_outputs": {"regex": "a.*", "json": null,
              "disable_fallback": false, "disable_any_whitespace": false,
              "disable_additional_properties": false, "whitespace_pattern": null})",
           R"("model": null)",
       }) {
    const Answer answer = post("/v1/completions", fmt::format(R"({{"prompt": "a", {}}})", field));
    EXPECT_EQ(answer.status(), 200) << field << answer.body();
  }
  EXPECT_EQ(post("/v1/completions", R"({"prompt": "a\u0000b"})").at("/usage/prompt_tokens"), "3");
}

}  // namespace
}  // namespace quire
