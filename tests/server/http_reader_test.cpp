#include "server/http/http_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace quire {
namespace {

using State = HttpReader::State;
using ::testing::HasSubstr;

constexpr HttpLimits kLimits{.max_header_bytes = 1024, .max_body_bytes = 4096};

// What becomes of a request that comes in pieces of `piece` bytes; the head is passed over.
State read_all(HttpReader& reader, std::string_view bytes, size_t piece = std::string_view::npos) {
  State state = reader.advance();
  while (state != State::kDone && state != State::kFailed && !bytes.empty()) {
    const size_t taken = std::min({piece, bytes.size(), reader.room()});
    if (taken == 0) break;
    reader.put(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    while ((state = reader.advance()) == State::kHeadDone) {
    }
  }
  return state;
}

int status_of(std::string_view request) {
  HttpReader reader(kLimits);
  return read_all(reader, request) == State::kFailed ? reader.error().status : 0;
}

constexpr std::string_view kPost =
    "POST /v1/completions?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: "
    "Bearer k\r\n"
    "Content-Length: 5\r\n\r\nhello";

TEST(HttpReader, ReadsARequestHoweverItIsCut) {
  for (size_t piece = 1; piece <= kPost.size(); ++piece) {
    HttpReader reader(kLimits);
    ASSERT_EQ(read_all(reader, kPost, piece), State::kDone) << piece;
    EXPECT_EQ(reader.head().method, HttpMethod::kPost);
    EXPECT_EQ(reader.head().path, "/v1/completions");
    EXPECT_EQ(reader.head().query, "x=1");
    EXPECT_EQ(reader.head().authorization, "Bearer k");
    EXPECT_EQ(reader.head().content_type, "application/json");
    EXPECT_TRUE(reader.keep_alive());
    EXPECT_TRUE(reader.has_body());
    EXPECT_EQ(reader.take_body(), "hello");
  }
}

TEST(HttpReader, TakesWhatPagesAndClientsSayOfThemselves) {
  HttpReader reader(kLimits);
  ASSERT_EQ(read_all(reader,
                     "OPTIONS /v1/models HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n"
                     "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-a\r\n"
                     "x-request-id: mine\r\n\r\n"),
            State::kDone);
  EXPECT_EQ(reader.head().method, HttpMethod::kOptions);
  EXPECT_EQ(reader.head().origin, "https://a.example");
  EXPECT_TRUE(reader.head().asks_for_method);
  EXPECT_EQ(reader.head().asks_for_headers, "x-a");
  EXPECT_EQ(reader.head().request_id, "mine");
}

TEST(HttpReader, StopsAfterTheHead) {
  HttpReader reader(kLimits);
  reader.put(kPost);
  EXPECT_EQ(reader.advance(), State::kHeadDone);
  EXPECT_EQ(reader.body_bytes(), 0u);
  EXPECT_EQ(reader.advance(), State::kDone);
}

TEST(HttpReader, KeepsWhatIsPipelined) {
  HttpReader reader(kLimits);
  std::string many;
  for (int i = 0; i < 3; ++i) many += kPost;
  reader.put(many);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader.advance(), State::kHeadDone);
    EXPECT_EQ(reader.advance(), State::kDone);
    EXPECT_EQ(reader.take_body(), "hello");
    reader.next();
  }
  EXPECT_EQ(reader.advance(), State::kIdle);
}

TEST(HttpReader, PassesOverEmptyLinesBetweenRequests) {
  HttpReader reader(kLimits);
  EXPECT_EQ(read_all(reader, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), State::kDone);
  EXPECT_EQ(reader.head().method, HttpMethod::kGet);
  EXPECT_FALSE(reader.has_body());
}

TEST(HttpReader, ReadsChunks) {
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n";
  for (const size_t piece : {size_t{1}, size_t{7}, chunked.size()}) {
    HttpReader reader(kLimits);
    ASSERT_EQ(read_all(reader, chunked, piece), State::kDone) << piece;
    EXPECT_EQ(reader.take_body(), "hello");
  }
}

TEST(HttpReader, VersionsAndKeepAlive) {
  HttpReader reader(kLimits);
  EXPECT_EQ(read_all(reader, "GET / HTTP/1.0\r\n\r\n"), State::kDone);
  EXPECT_TRUE(reader.is_http10());
  EXPECT_FALSE(reader.keep_alive());
  reader.next();
  EXPECT_EQ(read_all(reader, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), State::kDone);
  EXPECT_FALSE(reader.is_http10());
  EXPECT_FALSE(reader.keep_alive());
}

TEST(HttpReader, KnowsWhoWaitsToBeAskedOn) {
  HttpReader reader(kLimits);
  reader.put("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(reader.advance(), State::kHeadDone);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_EQ(reader.advance(), State::kBody);
}

TEST(HttpReader, LimitsHeaders) {
  EXPECT_EQ(status_of(fmt::format("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", std::string(2000, 'x'))),
            431);
  EXPECT_EQ(status_of(fmt::format("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", std::string(2000, 'x'))), 431);
  EXPECT_EQ(status_of(fmt::format("GET / HTTP/1.1\r\nHost: a\r\nX: {}", std::string(70'000, 'x'))), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 500; ++i) many += fmt::format("X-{}: y\r\n", i);
  EXPECT_EQ(status_of(many + "\r\n"), 431);
}

TEST(HttpReader, LimitsBodies) {
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n"), 413);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n"), 413);
  std::string chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) append_chunk(chunks, std::string(1000, 'x'));
  EXPECT_EQ(status_of(chunks), 413);
  EXPECT_EQ(
      status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
      413);
}

TEST(HttpReader, RefusesWhatIsNotHttp) {
  for (const std::string_view request : {
           "GET\r\n\r\n",
           "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost a\r\n\r\n",
           "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 is how TLS begins \r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
       }) {
    EXPECT_EQ(status_of(request), 400) << request;
  }
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n"), 417);
}

TEST(HttpReader, BoundsWhatWaits) {
  HttpReader reader(kLimits);
  std::string endless = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;";
  endless += std::string(200'000, 'e');
  EXPECT_EQ(read_all(reader, endless), State::kFailed);
}

RC_GTEST_PROP(HttpReader, TakesAnyBytes, (const std::string& bytes)) {
  HttpReader reader(kLimits);
  const State state = read_all(reader, bytes);
  RC_ASSERT(state != State::kFailed || reader.error().status >= 400);
}

}  // namespace
}  // namespace quire
