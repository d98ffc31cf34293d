// Tokens a minute: what counts is what the engine generates for a request, not what of it is shown.
#include <gtest/gtest.h>

#include <vector>

#include "tests/server/api_fixture.h"

namespace quire {
namespace {

class TokenLimit : public ApiFixture {
 protected:
  TokenLimit() {
    // What is owed beyond them comes back at 2 a second.
    const std::vector keys{NamedKey{"alice", ApiKeys::digest("a"), {.tokens_per_minute = 120}}};
    EXPECT_TRUE(api.read_keys([&] { return keys; }));
  }

  Answer ask(std::string_view members) const {
    return answer({HttpMethod::kPost, "/v1/completions", "Bearer a", "application/json"},
                  fmt::format(R"({{"prompt": "abc", {}}})", members));
  }
};

constexpr const char* kOne = R"("max_tokens": 1)";

TEST_F(TokenLimit, WhatIsShownCounts) {
  EXPECT_EQ(ask(R"("max_tokens": 50)").status(), 200);
  EXPECT_EQ(ask(R"("max_tokens": 50, "n": 2)").status(), 200);
  EXPECT_EQ(ask(kOne).status(), 429);
}

TEST_F(TokenLimit, DrawsThatLoseCount) {
  EXPECT_EQ(ask(R"("max_tokens": 50, "best_of": 4)").status(), 200);
  EXPECT_EQ(ask(kOne).status(), 429);
}

TEST_F(TokenLimit, BeamsThatLoseCount) {
  EXPECT_EQ(ask(R"("max_tokens": 50, "use_beam_search": true, "best_of": 4)").status(), 200);
  EXPECT_EQ(ask(kOne).status(), 429);
}

// A choice of beams is not told of either before it is over.
TEST_F(TokenLimit, WhoLeavesBeforeAnythingIsShownHasUsedWhatWasGenerated) {
  const RequestHead head{HttpMethod::kPost, "/v1/completions", "Bearer a", "application/json"};
  {
    Api::Reply reply =
        api.handle(head, R"({"prompt": "abc", "max_tokens": 200, "best_of": 4, "use_beam_search": true})");
    auto& run = *std::get<std::unique_ptr<AnswerRun>>(reply);
    std::string body;
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(model.handle.engine->step());
      ASSERT_EQ(run.advance(body), AnswerRun::Progress::kMore);
    }
    EXPECT_EQ(body, "");
  }
  EXPECT_EQ(ask(kOne).status(), 429);
}

}  // namespace
}  // namespace quire
