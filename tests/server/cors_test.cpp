#include "server/access/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kApp = "https://app.example.org";
constexpr const char* kOther = "https://other.example.org";

RequestHead from(std::string_view origin) {
  RequestHead head;
  head.method = HttpMethod::kPost;
  head.origin = origin;
  return head;
}

RequestHead question(std::string_view origin, std::string_view headers = "authorization,content-type") {
  RequestHead head = from(origin);
  head.method = HttpMethod::kOptions;
  head.asks_for_method = true;
  head.asks_for_headers = headers;
  return head;
}

auto headers_for(const CorsPolicy& policy, std::string_view origin) {
  HttpResponse response;
  policy.add_headers(from(origin), response);
  return response.headers;
}

TEST(Cors, NothingIsAllowedUnlessNamed) {
  const CorsPolicy none("");
  EXPECT_FALSE(none.allows(kApp));
  EXPECT_FALSE(none.preflight(question(kApp)));
  EXPECT_THAT(headers_for(none, kApp), IsEmpty());
}

TEST(Cors, OnlyTheOriginsOfAListAreAllowed) {
  const CorsPolicy policy("http://localhost:3000, https://app.example.org");
  EXPECT_THAT(headers_for(policy, kApp), Contains(Pair("Access-Control-Allow-Origin", kApp)));
  EXPECT_THAT(headers_for(policy, kApp), Contains(Pair("Vary", "Origin")));
  for (const char* origin : {kOther, "http://localhost", "https://app.example.org:444", "null", "",
                             "https://app.example.org.evil.example", "HTTPS://app.example.org"}) {
    EXPECT_FALSE(policy.allows(origin)) << origin;
    EXPECT_THAT(headers_for(policy, origin), Not(Contains(Key("Access-Control-Allow-Origin")))) << origin;
    EXPECT_THAT(headers_for(policy, origin), Contains(Pair("Vary", "Origin"))) << origin;
  }
}

TEST(Cors, AStarIsForAllButNeverWithCredentials) {
  const CorsPolicy policy("*");
  const auto headers = headers_for(policy, kOther);
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Origin", "*")));
  EXPECT_THAT(headers, Not(Contains(Key("Vary"))));
  EXPECT_THAT(headers, Not(Contains(Key("Access-Control-Allow-Credentials"))));
  EXPECT_THAT(headers_for(policy, ""), IsEmpty());  // no page asks
}

TEST(Cors, BrowsersAskFirst) {
  const CorsPolicy policy(kApp);
  const auto allowed = policy.preflight(question(kApp));
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->status, 204);
  EXPECT_THAT(allowed->headers, Contains(Pair("Access-Control-Allow-Methods", "GET, POST, DELETE")));
  EXPECT_THAT(allowed->headers,
              Contains(Pair("Access-Control-Allow-Headers", "authorization,content-type")));
  EXPECT_EQ(policy.preflight(question(kOther))->status, 403);
  EXPECT_FALSE(policy.preflight(from(kApp)));
  RequestHead plain = question(kApp);
  plain.asks_for_method = false;
  EXPECT_FALSE(policy.preflight(plain));
}

TEST(Cors, OnlyNamesOfHeadersAreSentBack) {
  const CorsPolicy policy("*");
  for (const std::string& headers : {std::string("a\x01"
                                                 "b"),
                                     std::string("x: y"), std::string(2000, 'a')}) {
    EXPECT_THAT(policy.preflight(question(kApp, headers))->headers,
                Not(Contains(Key("Access-Control-Allow-Headers"))));
  }
}

TEST(Cors, WhatIsNoOriginIsRefused) {
  for (const char* origins :
       {"", "*", kApp, "http://localhost:3000,https://a.example", "tauri://localhost"})
    EXPECT_TRUE(check_origins(origins)) << origins;
  for (const char* origins : {"app.example.org", "https://", "://x", "https://a.example/",
                              "https://a.example/x", "*,https://a.example", "https://*.example", "null"}) {
    const auto checked = check_origins(origins);
    ASSERT_FALSE(checked) << origins;
    EXPECT_EQ(checked.error().param, "allowed_origins");
  }
}

}  // namespace
}  // namespace quire
