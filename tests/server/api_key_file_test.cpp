#include "server/access/api_key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "tests/base/temp_folder.h"

namespace quire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// printf %s sk-bob | sha256sum
constexpr const char* kBobsDigest = "36c76b48bb2ee1d9d37140550e9d7ed7d395cf56f41050dc2a72e5291c0011f0";

std::string error_of_keys(std::string_view yaml) {
  const auto keys = parse_api_keys(yaml);
  EXPECT_FALSE(keys) << yaml;
  if (keys) return {};
  EXPECT_EQ(keys.error().param, "api_key_file");
  return keys.error().message;
}

TEST(ApiKeyFile, HasNamesKeysAndLimits) {
  const auto keys = parse_api_keys(std::string(R"(
keys:
  - name: alice     # the first
    key: sk-alice
    requests_per_minute: 60
    tokens_per_minute: 20000
    max_concurrency: 4
  - {name: bob, sha256: )") + kBobsDigest +
                                   "}\n");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ(keys->at(0).name, "alice");
  EXPECT_EQ(keys->at(0).digest, ApiKeys::digest("sk-alice"));
  EXPECT_EQ(keys->at(0).limits.requests_per_minute, 60);
  EXPECT_EQ(keys->at(0).limits.tokens_per_minute, 20000);
  EXPECT_EQ(keys->at(0).limits.max_concurrency, 4);
  EXPECT_EQ(keys->at(1).digest, ApiKeys::digest("sk-bob"));
  EXPECT_EQ(keys->at(1).limits.requests_per_minute, 0);
}

TEST(ApiKeyFile, SaysWhatIsWrong) {
  EXPECT_THAT(error_of_keys(""), HasSubstr("'keys:'"));
  EXPECT_THAT(error_of_keys("keys:\n"), HasSubstr("'keys:'"));
  EXPECT_THAT(error_of_keys("keys: []"), HasSubstr("no key"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: b}]\nother: 1"), HasSubstr("'keys:'"));
  EXPECT_THAT(error_of_keys("keys:\n  - name: [\n"), HasSubstr("not YAML"));
  EXPECT_THAT(error_of_keys("keys:\n  - alice\n"), HasSubstr("line 2"));
  EXPECT_THAT(error_of_keys("keys: [{key: b}]"), HasSubstr("no name"));
  EXPECT_THAT(error_of_keys("keys: [{name: a}]"), HasSubstr("either key or sha256"));
  EXPECT_THAT(error_of_keys("keys: [{name: a b, key: c}]"), HasSubstr("name is 'a b'"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: c d}]"), HasSubstr("without spaces"));
  EXPECT_THAT(error_of_keys(fmt::format("keys: [{{name: a, key: 'sha256:{}'}}]", std::string(64, 'a'))),
              HasSubstr("field of its own"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: [c]}]"), HasSubstr("one word"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, sha256: 12}]"), HasSubstr("64 hexadecimal"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: b, request_per_minute: 1}]"),
              HasSubstr("did you mean 'requests_per_minute'"));
  for (const char* limit : {"0", "-1", "1.5", "many", "''", "99999999999999999999"}) {
    EXPECT_THAT(error_of_keys(fmt::format("keys: [{{name: a, key: b, max_concurrency: {}}}]", limit)),
                HasSubstr("max_concurrency is"));
  }
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: b}, {name: a, key: c}]"), HasSubstr("two keys"));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: b}, {name: c, key: b}]"), HasSubstr("'a' and 'c'"));
}

TEST(ApiKeyFile, NeverShowsAKey) {
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: 'secret word'}]"), Not(HasSubstr("secret")));
  EXPECT_THAT(error_of_keys("keys: [{name: a, sha256: secret}]"), Not(HasSubstr("secret")));
  EXPECT_THAT(error_of_keys("keys: [{name: a, key: secret}, {name: b, key: secret}]"),
              Not(HasSubstr("secret")));
}

RC_GTEST_PROP(ApiKeyFile, NoiseIsAnErrorOrKeys, (const std::string& noise)) {
  const auto keys = parse_api_keys("keys:\n  - name: a\n    key: b\n" + noise);
  RC_ASSERT(!keys || !keys->empty());
}

TEST(ApiKeyFile, DeepNestingIsAnError) {
  EXPECT_THAT(error_of_keys(std::string(100'000, '[')), HasSubstr("not YAML"));
}

TEST(ApiKeyFile, FilesThatCannotBeReadAreNamed) {
  const TempFolder folder;
  const std::string missing = folder.file("missing.yaml"), large = folder.file("large.yaml");
  EXPECT_THAT(read_api_key_file(missing).error().message,
              HasSubstr("missing.yaml' cannot be read: No such"));
  EXPECT_THAT(read_api_key_file(folder.path()).error().message, HasSubstr("cannot be read"));
  std::ofstream(large) << std::string((1 << 20) + 1, '#');
  EXPECT_THAT(read_api_key_file(large).error().message, HasSubstr("longer than"));
  const std::string good = folder.file("good.yaml");
  std::ofstream(good) << "keys: [{name: a, key: b}]";
  EXPECT_EQ(read_api_key_file(good)->size(), 1u);
}

}  // namespace
}  // namespace quire
