#include "server/http/http_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace quire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpMessage, WritesAHead) {
  const HttpResponse response{200, "application/json", {{"X-Extra", "yes"}}, "{}"};
  const std::string head = response_head(response, BodyLength::kKnown, true, 784111777);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: quire/" QUIRE_VERSION
                  "\r\nContent-Type: application/json\r\nX-Extra: yes\r\nContent-Length: 2\r\n"
                  "Connection: keep-alive\r\n\r\n");
  EXPECT_THAT(response_head(response, BodyLength::kChunked, false, 0),
              AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), HasSubstr("Connection: close\r\n"),
                    Not(HasSubstr("Content-Length"))));
  EXPECT_THAT(response_head(response, BodyLength::kUntilClose, false, 0),
              AllOf(Not(HasSubstr("Transfer-Encoding")), Not(HasSubstr("Content-Length"))));
}

TEST(HttpMessage, NoContentHasNeitherLengthNorType) {
  const std::string head = response_head({204, {}, {}, {}}, BodyLength::kKnown, true, 0);
  EXPECT_THAT(head, AllOf(HasSubstr("204 No Content"), Not(HasSubstr("Content-"))));
}

TEST(HttpMessage, NotModifiedTellsNoLength) {
  const std::string head = response_head({304, "text/css", {}, {}}, BodyLength::kKnown, true, 0);
  EXPECT_THAT(head, AllOf(HasSubstr("304 Not Modified"), Not(HasSubstr("Content-Length"))));
}

TEST(HttpMessage, ErrorsCarryTheirHeaders) {
  const auto busy = error_response({429, "full", {}, "queue_full", 3});
  EXPECT_EQ(busy.status, 429);
  EXPECT_THAT(busy.headers, testing::ElementsAre(testing::Pair("Retry-After", "3")));
  EXPECT_EQ(busy.body,
            R"({"error":{"message":"full","type":"rate_limit_error","param":null,"code":"queue_full"}})");
  EXPECT_THAT(error_response({401, "no", {}, {}, 0}).headers,
              testing::ElementsAre(testing::Pair("WWW-Authenticate", "Bearer")));
}

TEST(HttpMessage, Chunks) {
  std::string out;
  append_chunk(out, std::string(26, 'x'));
  append_last_chunk(out);
  EXPECT_EQ(out, "1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
}

TEST(HttpMessage, Paths) {
  EXPECT_EQ(target_path("/v1/models?x=1"), "/v1/models");
  EXPECT_EQ(target_path("/v1/models/a%2Fb%20c#f"), "/v1/models/a/b c");
  EXPECT_EQ(target_path("/%"), "");
  EXPECT_EQ(target_path("/%4"), "");
  EXPECT_EQ(target_path("/%zz"), "");
  EXPECT_EQ(target_path("ftp://host/x"), "");
  EXPECT_EQ(target_path("*"), "");
  EXPECT_EQ(target_path(""), "");
}

// As clients of proxies write them (RFC 9112, 3.2.2).
TEST(HttpMessage, TargetsMayNameTheHost) {
  EXPECT_EQ(target_path("http://host:80/x%20y?z"), "/x y");
  EXPECT_EQ(target_path("https://host"), "/");
  EXPECT_EQ(target_path("http://host?x"), "/");
  EXPECT_EQ(target_path("http:///x"), "");
  EXPECT_EQ(target_host("http://host:80/x"), "host:80");
  EXPECT_EQ(target_host("/x?http://host/"), "");
  EXPECT_EQ(target_query("http://host/x?y=1"), "y=1");
}

TEST(HttpMessage, Queries) {
  EXPECT_EQ(target_query("/v1/models?x=1&y=%41#f"), "x=1&y=%41");
  EXPECT_EQ(target_query("/v1/models?a?b"), "a?b");
  EXPECT_EQ(target_query("/v1/models"), "");
  EXPECT_EQ(target_query("/v1/models#f?x"), "");
  EXPECT_EQ(query_value("a=1&stream=tr%75e&stream=2", "stream"), "true");
  EXPECT_EQ(query_value("stream&a", "stream"), "");
  EXPECT_EQ(query_value("streams=1&a=stream", "stream"), std::nullopt);
}

RC_GTEST_PROP(HttpMessage, AnyTargetHasAnAnswer, (const std::string& target)) {
  const std::string path = target_path(target);
  RC_ASSERT(path.empty() || path.front() == '/');
}

}  // namespace
}  // namespace quire
