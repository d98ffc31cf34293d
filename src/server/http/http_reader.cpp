#include "server/http/http_reader.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstring>
#include <optional>

namespace quire {

namespace http = boost::beast::http;

namespace {

constexpr size_t kReadAheadBytes = 64 << 10;  // of a body or of further requests

std::string to_string(boost::beast::string_view text) { return {text.data(), text.size()}; }

HttpMethod to_method(http::verb verb) {
  switch (verb) {
    case http::verb::get: return HttpMethod::kGet;
    case http::verb::head: return HttpMethod::kHead;
    case http::verb::post: return HttpMethod::kPost;
    case http::verb::delete_: return HttpMethod::kDelete;
    case http::verb::options: return HttpMethod::kOptions;
    default: return HttpMethod::kOther;
  }
}

// A list that may be spread over several fields of this name (RFC 9110, 5.3).
std::string joined(const http::fields& fields, boost::beast::string_view name) {
  std::string list;
  const auto [begin, end] = fields.equal_range(name);
  for (auto field = begin; field != end; ++field) {
    if (!list.empty()) list += ',';
    list += to_string(field->value());
  }
  return list;
}

}  // namespace

struct HttpReader::Parser {
  explicit Parser(size_t max_buffered) : buffer(max_buffered) {}

  boost::beast::flat_buffer buffer;
  std::optional<http::request_parser<http::string_body>> request;
};

HttpReader::HttpReader(const HttpLimits& limits)
    : limits_(limits), parser_(std::make_unique<Parser>(limits.max_header_bytes + kReadAheadBytes)) {
  next();
}

HttpReader::~HttpReader() = default;

void HttpReader::next() {
  auto& request = parser_->request.emplace();
  request.header_limit(static_cast<uint32_t>(limits_.max_header_bytes));
  request.body_limit(limits_.max_body_bytes);
  state_ = State::kIdle;
  head_ = {};
  target_.clear();
  method_.clear();
  has_body_ = expects_continue_ = keep_alive_ = http10_ = false;
}

size_t HttpReader::room() const { return parser_->buffer.max_size() - parser_->buffer.size(); }

void HttpReader::put(std::string_view bytes) {
  auto& buffer = parser_->buffer;
  const auto space = buffer.prepare(bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

HttpReader::State HttpReader::advance() {
  auto& buffer = parser_->buffer;
  auto& request = *parser_->request;
  if (state_ == State::kFailed || state_ == State::kDone) return state_;
  if (state_ == State::kIdle) {
    // Empty lines before a request do not count (RFC 9112, 2.2).
    while (buffer.size() > 0 && (*static_cast<const char*>(buffer.data().data()) == '\r' ||
                                 *static_cast<const char*>(buffer.data().data()) == '\n')) {
      buffer.consume(1);
    }
    if (buffer.size() == 0) return state_;
    state_ = State::kHead;
  }
  if (state_ == State::kHeadDone) {
    state_ = State::kBody;
    request.eager(true);
  }
  while (!request.is_done() && buffer.size() > 0) {
    boost::beast::error_code error;
    const size_t taken = request.put(buffer.data(), error);
    buffer.consume(taken);
    if (error == http::error::need_more) {
      if (taken > 0) continue;  // what is left may be a part that stands alone
      if (buffer.size() == buffer.max_size()) return fail(400, "a line of the request's body is too long");
      return state_;
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return fail(431, fmt::format("the header is longer than {} bytes", limits_.max_header_bytes));
    }
    if (error == http::error::body_limit) {
      // It may be known before the header has ended; the path says who reads the error.
      head_.path = target_path(to_string(request.get().target()));
      return fail(413, fmt::format("the body is longer than {} bytes", limits_.max_body_bytes));
    }
    if (error) return fail(400, fmt::format("this is not HTTP/1.1: {}", error.message()));
    if (state_ == State::kHead && request.is_header_done()) return finish_head();
  }
  if (request.is_done()) state_ = State::kDone;
  return state_;
}

HttpReader::State HttpReader::fail(int status, std::string message) {
  error_ = {status, std::move(message), {}, {}, 0};
  state_ = State::kFailed;
  return state_;
}

HttpReader::State HttpReader::finish_head() {
  const auto& request = *parser_->request;
  const auto& fields = request.get();
  method_ = to_string(fields.method_string());
  target_ = to_string(fields.target());
  head_ = {to_method(fields.method()),
           target_path(target_),
           to_string(fields[http::field::authorization]),
           to_string(fields[http::field::content_type]),
           to_string(fields[http::field::origin]),
           to_string(fields[http::field::if_none_match]),
           to_string(fields["X-Request-Id"]),
           fields.count(http::field::access_control_request_method) > 0,
           to_string(fields[http::field::access_control_request_headers]),
           fields.count("traceparent") == 1 ? to_string(fields["traceparent"]) : std::string(),
           joined(fields, "tracestate"),
           std::string(target_host(target_)),
           target_query(target_),
           to_string(fields[http::field::content_encoding])};
  if (head_.host.empty()) head_.host = to_string(fields[http::field::host]);
  // Anthropic's clients send the key in a header of its own.
  if (const auto key = fields["x-api-key"]; head_.authorization.empty() && !key.empty()) {
    head_.authorization = "Bearer " + to_string(key);
  }
  http10_ = fields.version() < 11;
  keep_alive_ = request.keep_alive();
  has_body_ = request.chunked() || request.content_length().value_or(0) > 0;
  if (!http10_ && fields.count(http::field::host) != 1) return fail(400, "a request needs one Host header");
  const auto coding = fields[http::field::transfer_encoding];
  if (!coding.empty() && http10_) return fail(400, "HTTP/1.0 has no Transfer-Encoding");
  if (!coding.empty() && !boost::beast::iequals(coding, "chunked")) {
    return fail(400, "the only Transfer-Encoding understood is chunked");
  }
  const auto expectation = fields[http::field::expect];
  if (!expectation.empty() && !boost::beast::iequals(expectation, "100-continue")) {
    return fail(417, "the only expectation understood is 100-continue");
  }
  expects_continue_ = !expectation.empty() && has_body_ && !http10_ && parser_->buffer.size() == 0;
  state_ = State::kHeadDone;
  return state_;
}

size_t HttpReader::body_bytes() const { return parser_->request->get().body().size(); }

std::string HttpReader::take_body() { return std::move(parser_->request->get().body()); }

}  // namespace quire
