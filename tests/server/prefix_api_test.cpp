// /v1/prefixes: what is pinned, listed and deleted, by whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "server/prefix_file.h"
#include "tests/base/temp_folder.h"
#include "tests/server/api_fixture.h"

namespace quire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string text(size_t count) { return std::string(count, 'a'); }

std::string with_prompt(size_t count, std::string_view more = {}) {
  return fmt::format(R"({{"prompt": "{}"{}}})", text(count), more);
}

class PrefixApiTest : public ApiFixture {
 protected:
  PrefixApiTest() : ApiFixture({.has_prefix_cache = true}, with_keys()) {}

  static ServerConfig with_keys() {
    ServerConfig config;
    config.api_key = "one,two";
    return config;
  }

  Answer as(std::string_view key, HttpMethod method, std::string_view path, std::string_view body = {}) {
    const RequestHead head{method, std::string(path), fmt::format("Bearer {}", key), "application/json"};
    return answer(head, body);
  }
  Answer pin(std::string_view body, std::string_view key = "one") {
    return as(key, HttpMethod::kPost, "/v1/prefixes", body);
  }
  void remove_all() {
    for (const char* key : {"one", "two"}) {
      for (Answer list = as(key, HttpMethod::kGet, "/v1/prefixes"); list.at("/data/0/id") != "absent";
           list = as(key, HttpMethod::kGet, "/v1/prefixes")) {
        const Answer gone = as(key, HttpMethod::kDelete, "/v1/prefixes/" + list.at("/data/0/id"));
        ASSERT_EQ(gone.status(), 200) << gone.body();
      }
    }
  }
  std::string cached(std::string_view body, std::string_view key = "one") {
    return as(key, HttpMethod::kPost, "/v1/completions", body)
        .at("/usage/prompt_tokens_details/cached_tokens");
  }
};

TEST_F(PrefixApiTest, PinsFullBlocksAndTellsOfThem) {
  const Answer pinned = pin(with_prompt(50));
  EXPECT_EQ(pinned.status(), 200) << pinned.body();
  EXPECT_THAT(pinned.at("/id"), StartsWith("prefix-"));
  EXPECT_EQ(pinned.at("/object"), "prefix");
  EXPECT_EQ(pinned.at("/model"), "echo");
  EXPECT_EQ(pinned.at("/tokens"), "48");
  EXPECT_EQ(pinned.at("/blocks"), "3");
  EXPECT_EQ(pinned.at("/cached_tokens"), "0");
  EXPECT_EQ(cached(with_prompt(60)), "48");
  const Answer list = as("one", HttpMethod::kGet, "/v1/prefixes");
  EXPECT_EQ(list.at("/object"), "list");
  EXPECT_EQ(list.at("/data/0"), pinned.body());
  const std::string path = "/v1/prefixes/" + pinned.at("/id");
  EXPECT_EQ(as("one", HttpMethod::kGet, path).body(), pinned.body());
  const Answer deleted = as("one", HttpMethod::kDelete, path);
  EXPECT_EQ(deleted.at("/id"), pinned.at("/id"));
  EXPECT_EQ(deleted.at("/deleted"), "true");
  for (const HttpMethod method : {HttpMethod::kGet, HttpMethod::kDelete}) {
    const Answer gone = as("one", method, path);
    EXPECT_EQ(gone.status(), 404);
    EXPECT_EQ(gone.at("/error/code"), "prefix_not_found");
  }
  EXPECT_EQ(as("one", HttpMethod::kGet, "/v1/prefixes").at("/data"), "[]");
}

TEST_F(PrefixApiTest, AKeyAndASaltHaveTheirOwn) {
  const Answer pinned = pin(with_prompt(32));
  EXPECT_EQ(as("two", HttpMethod::kGet, "/v1/prefixes").at("/data"), "[]");
  EXPECT_EQ(as("two", HttpMethod::kDelete, "/v1/prefixes/" + pinned.at("/id")).status(), 404);
  EXPECT_EQ(cached(with_prompt(40), "two"), "0");
  EXPECT_EQ(cached(with_prompt(41, R"(, "cache_salt": "x")")), "0");
  EXPECT_EQ(pin(with_prompt(32, R"(, "cache_salt": "y")")).at("/cached_tokens"), "0");
  EXPECT_EQ(cached(with_prompt(40)), "32");
  EXPECT_EQ(model.handle.engine->stats().num_pinned_blocks, 4);
  remove_all();
}

TEST_F(PrefixApiTest, MessagesBeginAsLaterChatsDo) {
  const std::string system = fmt::format(R"({{"role": "system", "content": "{}"}})", text(40));
  const Answer pinned = pin(fmt::format(R"({{"messages": [{}]}})", system));
  EXPECT_EQ(pinned.at("/tokens"), "32") << pinned.body();
  const Answer chat =
      as("one", HttpMethod::kPost, "/v1/chat/completions",
         fmt::format(R"({{"messages": [{}, {{"role": "user", "content": "b"}}]}})", system));
  EXPECT_EQ(chat.at("/usage/prompt_tokens_details/cached_tokens"), "32");
  remove_all();
}

TEST_F(PrefixApiTest, TheSameTwiceCountsOnce) {
  const Answer first = pin(R"({"prompt": [97,97,97,97,97,97,97,97,97,97,97,97,97,97,97,97]})");
  const Answer second = pin(with_prompt(16));
  EXPECT_EQ(first.at("/tokens"), "16");
  EXPECT_NE(first.at("/id"), second.at("/id"));
  EXPECT_EQ(model.handle.engine->stats().num_pinned_blocks, 1);
  remove_all();
}

TEST_F(PrefixApiTest, RefusalsHaveTheNumbers) {
  struct Case {
    std::string body;
    const char *param, *message;
  };
  for (const auto& [body, param, message] : {
           Case{R"({})", "prompt", "prompt or messages is required"},
           Case{R"({"prompt": ""})", "prompt", "fills no block of 16 tokens"},
           Case{R"({"prompt": "a", "messages": [{"role": "user", "content": "b"}]})", "messages", "both"},
           Case{R"({"prompt": ["a"]})", "prompt", "token id"},
           Case{R"({"prompt": [258]})", "prompt", "258 tokens"},
           Case{R"({"prompt": 1})", "prompt", "string or token ids"},
           Case{R"({"messages": []})", "messages", "must not be empty"},
           Case{R"({"prompt": "a", "max_tokens": 3})", "max_tokens", "unknown field"},
           Case{R"({"prompt": "a", "key": 1})", "key", "unknown field"},
           Case{R"({"prompt": "a", "cache_salt": ""})", "cache_salt", "1 to 256"},
           Case{with_prompt(300), "prompt", "context holds 256"},
       }) {
    const Answer refused = pin(body);
    EXPECT_EQ(refused.status(), 400) << body;
    EXPECT_EQ(refused.at("/error/param"), param) << body;
    EXPECT_THAT(refused.at("/error/message"), HasSubstr(message)) << body;
  }
  EXPECT_EQ(pin(R"({"prompt": "a", "model": "other"})").status(), 404);
  EXPECT_EQ(as("one", HttpMethod::kDelete, "/v1/prefixes").status(), 405);
  EXPECT_EQ(Api::allowed_methods("/v1/prefixes"), "GET, HEAD, POST");
  EXPECT_EQ(Api::allowed_methods("/v1/prefixes/x"), "GET, HEAD, DELETE");
  for (const char first : {'b', 'c'}) {
    const Answer pinned = pin(fmt::format(R"({{"prompt": "{}{}"}})", first, text(239)));
    EXPECT_EQ(pinned.status(), 200) << pinned.body();
  }
  const Answer beyond = pin(with_prompt(48));
  EXPECT_EQ(beyond.status(), 400);
  EXPECT_THAT(beyond.at("/error/message"),
              HasSubstr("needs 3 more blocks of 16 tokens, but 30 of at most 32"));
  // 64 blocks, of which 30 are pinned: two sequences of 256 tokens need 32, three need 48.
  const auto completion = [](int n, std::string_view more) {
    return fmt::format(R"({{"prompt": "d", "n": {}{}}})", n, more);
  };
  const Answer many =
      as("one", HttpMethod::kPost, "/v1/completions", completion(3, R"(, "max_tokens": 250)"));
  EXPECT_EQ(many.status(), 400);
  EXPECT_EQ(many.at("/error/param"), "n");
  EXPECT_THAT(many.at("/error/message"), HasSubstr("64 blocks 30 are pinned"));
  EXPECT_EQ(as("one", HttpMethod::kPost, "/v1/completions", completion(3, "")).status(), 200);
  remove_all();
}

TEST_F(PrefixApiTest, AFailedStepIsAnErrorAndPinsNothing) {
  model.gate->fail_next_step();
  EXPECT_EQ(pin(with_prompt(32)).status(), 500);
  EXPECT_EQ(as("one", HttpMethod::kGet, "/v1/prefixes").at("/data"), "[]");
}

// The engine runs by itself here.
class PrefixFileTest : public testing::Test {
 protected:
  Expected<> pin(std::string_view lines, TenantId num_keys) {
    std::ofstream(folder_.file("prefixes")) << lines;
    return pin_prefix_file(served_, folder_.file("prefixes"), num_keys);
  }
  int32_t num_pinned_blocks() { return model_.handle.engine->stats().num_pinned_blocks; }

  TempFolder folder_;
  EchoModel model_{{.has_prefix_cache = true}};
  ServedModel served_{model_.handle, {"echo"}, model_.clock};
};

TEST_F(PrefixFileTest, EveryKeyGetsItsOwnUnlessOneIsNamed) {
  const std::string line = with_prompt(32) + "\n\n" + with_prompt(48, R"(, "key": 2)") + "\n";
  ASSERT_TRUE(pin(line, 3));
  EXPECT_EQ(model_.handle.engine->pinned_prefixes(0).size(), 0u);
  EXPECT_EQ(model_.handle.engine->pinned_prefixes(1).size(), 1u);
  EXPECT_EQ(model_.handle.engine->pinned_prefixes(2).size(), 2u);
  EXPECT_EQ(num_pinned_blocks(), 2 + 3 + 2);
}

TEST_F(PrefixFileTest, WithoutKeysEverybodyFindsIt) {
  ASSERT_TRUE(
      pin(R"({"messages": [{"role": "system", "content": "Be brief, and say no more than asked."}]})", 0));
  EXPECT_EQ(model_.handle.engine->pinned_prefixes(0).size(), 1u);
}

TEST_F(PrefixFileTest, ErrorsNameLineAndField) {
  struct Case {
    std::string lines;
    const char* message;
  };
  for (const auto& [lines, message] : {
           Case{with_prompt(16) + "\n{", "line 2 of the prefix file"},
           Case{"\n" + with_prompt(16, R"(, "salt": 1)"), "', field 'salt': unknown field"},
           Case{with_prompt(16, R"(, "key": 1)"), "field 'key': key is 1, but the server has 0 API keys"},
           Case{with_prompt(16, R"(, "key": 0)"), "field 'key'"},
           Case{with_prompt(16, R"(, "model": "x")"), "the model 'x' is not served here"},
           Case{with_prompt(3), "line 1 of the prefix file"},
       }) {
    const auto pinned = pin(lines, 0);
    ASSERT_FALSE(pinned) << lines;
    EXPECT_EQ(pinned.error().param, "prefix_file");
    EXPECT_THAT(pinned.error().message, HasSubstr(message));
  }
  EXPECT_FALSE(pin_prefix_file(served_, folder_.file("absent"), 0));
  EXPECT_FALSE(pin_prefix_file(served_, folder_.path().string(), 0));
}

}  // namespace
}  // namespace quire
