#include "server/trace/otlp_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

std::string shown(std::string_view url) {
  const auto endpoint = parse_otlp_endpoint(url);
  if (!endpoint) return endpoint.error().message;
  return fmt::format("{} {} {}", endpoint->host, endpoint->port, endpoint->path);
}

TEST(OtlpEndpoint, CompletesWhatIsLeftOut) {
  EXPECT_EQ(shown("http://collector"), "collector 4318 /v1/traces");
  EXPECT_EQ(shown("http://collector:99"), "collector 99 /v1/traces");
  EXPECT_EQ(shown("http://127.0.0.1:4318/"), "127.0.0.1 4318 /v1/traces");
  EXPECT_EQ(shown("http://collector:99/otlp"), "collector 99 /otlp/v1/traces");
  EXPECT_EQ(shown("http://collector:99/otlp/v1/traces"), "collector 99 /otlp/v1/traces");
  EXPECT_EQ(shown("http://[::1]:99"), "::1 99 /v1/traces");
  EXPECT_EQ(shown("http://[::1]"), "::1 4318 /v1/traces");
}

TEST(OtlpEndpoint, SaysWhatIsWrong) {
  EXPECT_THAT(shown("https://collector"), testing::HasSubstr("https, which is not spoken here"));
  EXPECT_THAT(shown("collector:4318"), testing::HasSubstr("does not begin with http://"));
  for (const char* url : {"http://c:0", "http://c:65536", "http://c:", "http://c:x"}) {
    EXPECT_THAT(shown(url), testing::HasSubstr("has no port between 1 and 65535")) << url;
  }
  EXPECT_THAT(shown("http://"), testing::HasSubstr("has no host"));
  EXPECT_THAT(shown("http://:4318"), testing::HasSubstr("has no host"));
  EXPECT_THAT(shown("http://me@c"), testing::HasSubstr("has a user"));
  EXPECT_THAT(shown("http://c/a b"), testing::HasSubstr("a space"));
  EXPECT_EQ(parse_otlp_endpoint("x").error().param, "otlp_endpoint");
}

}  // namespace
}  // namespace quire
