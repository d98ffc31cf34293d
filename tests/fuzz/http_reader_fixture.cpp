// A byte that says how long pieces are, then what comes over a connection.
#include <algorithm>

#include "base/check.h"
#include "server/http/http_reader.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {

void fuzz_http_reader(std::string_view input) {
  if (input.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  constexpr HttpLimits kLimits{.max_header_bytes = 1024, .max_body_bytes = 4096};
  HttpReader reader(kLimits);
  while (true) {
    const HttpReader::State state = reader.advance();
    CHECK(reader.body_bytes() <= kLimits.max_body_bytes);
    if (state == HttpReader::State::kFailed) {
      CHECK(reader.error().status >= 400 && reader.error().status < 500);
      CHECK(!reader.error().message.empty());
      return;
    }
    if (state == HttpReader::State::kHeadDone) continue;
    if (state == HttpReader::State::kDone) {
      reader.take_body();
      reader.next();
      continue;
    }
    const size_t length = std::min({piece, reader.room(), input.size()});
    if (length == 0) {
      CHECK(input.empty(), "it waits for more, but has no room");
      return;
    }
    reader.put(input.substr(0, length));
    input.remove_prefix(length);
  }
}

std::vector<std::string> http_reader_seeds() {
  return {
      "\x40GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n\r\n",
      "\x10POST /v1/completions?x=%20 HTTP/1.1\r\nHost: a\r\nContent-Type: "
      "application/json\r\nContent-Length: "
      "2\r\n\r\n{}GET /live HTTP/1.1\r\nHost: a\r\n\r\n",
      "\x03POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nT: "
      "u\r\n\r\n",
      "\x7FPOST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      "\xFFPOST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4097\r\n\r\n",
  };
}

}  // namespace quire
