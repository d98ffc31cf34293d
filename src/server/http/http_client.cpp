#include "server/http/http_client.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace quire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

http::request<http::string_body> to_beast(const HttpTarget& target, const HttpRequest& request) {
  const auto verb = request.body.empty() ? http::verb::get : http::verb::post;
  http::request<http::string_body> message(verb, std::string(request.path), 11);
  const bool ipv6 = target.host.find(':') != std::string::npos;
  message.set(http::field::host,
              fmt::format("{}{}{}:{}", ipv6 ? "[" : "", target.host, ipv6 ? "]" : "", target.port));
  message.set(http::field::user_agent, "quire/" QUIRE_VERSION);
  message.set(http::field::connection, "close");
  if (!target.api_key.empty()) message.set(http::field::authorization, "Bearer " + target.api_key);
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

std::unexpected<Error> broken(const HttpTarget& target, const beast::error_code& error) {
  return fail(ErrorCode::kUnavailable, "{}:{}: {}", target.host, target.port, error.message());
}

}  // namespace

Expected<HttpTarget> resolve_target(asio::io_context& context, std::string host, uint16_t port,
                                    std::string api_key) {
  HttpTarget target{std::move(host), port, std::move(api_key), {}};
  beast::error_code error;
  target.addresses = asio::ip::tcp::resolver(context).resolve(target.host, std::to_string(port), error);
  if (error) return broken(target, error);
  return target;
}

asio::awaitable<Expected<int>> http_exchange(
    const HttpTarget& target, const HttpRequest& request,
    FunctionRef<Expected<>(std::string_view bytes, int status)> on_body) {
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream.expires_after(request.silence_limit);
  co_await stream.async_connect(target.addresses, token);
  if (error) co_return broken(target, error);
  stream.socket().set_option(asio::ip::tcp::no_delay(true), error);

  const auto message = to_beast(target, request);
  co_await http::async_write(stream, message, token);
  if (error) co_return broken(target, error);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read_header(stream, buffer, parser, token);
  if (error) co_return broken(target, error);
  const int status = parser.get().result_int();
  while (true) {
    std::string& body = parser.get().body();
    if (!body.empty()) {
      if (auto taken = on_body(body, status); !taken) co_return std::unexpected(taken.error());
      body.clear();
    }
    if (parser.is_done()) co_return status;
    stream.expires_after(request.silence_limit);
    co_await http::async_read_some(stream, buffer, parser, token);
    if (error) co_return broken(target, error);
  }
}

asio::awaitable<Expected<std::string>> http_get(const HttpTarget& target, std::string_view path,
                                                size_t max_bytes) {
  std::string body;
  auto keep = [&](std::string_view bytes, int) -> Expected<> {
    if (body.size() + bytes.size() > max_bytes) {
      return fail(ErrorCode::kResourceExhausted, "{} answers more than {} bytes", path, max_bytes);
    }
    body += bytes;
    return {};
  };
  const HttpRequest request{.path = path, .body = {}};
  const Expected<int> status = co_await http_exchange(target, request, keep);
  if (!status) co_return std::unexpected(status.error());
  if (*status != 200) co_return fail(ErrorCode::kUnavailable, "{} answers {}", path, *status);
  co_return body;
}

}  // namespace quire
