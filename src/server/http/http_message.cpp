#include "server/http/http_message.h"

#include <ctime>
#include <iterator>
#include <optional>

#include "base/text.h"

namespace quire {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Unknown";
  }
}

// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string http_date(int64_t unix_seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday,
                     kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

HttpResponse json_response(std::string body) { return {200, "application/json", {}, std::move(body)}; }

HttpResponse error_response(const ApiError& error) {
  HttpResponse response{error.status, "application/json", {}, to_json(error), error};
  if (error.retry_after_seconds > 0) {
    response.headers.emplace_back("Retry-After", fmt::format("{}", error.retry_after_seconds));
  }
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::string response_head(const HttpResponse& response, BodyLength length, bool keep_alive,
                          int64_t unix_seconds) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nServer: quire/" QUIRE_VERSION "\r\n",
                                 response.status, reason_phrase(response.status), http_date(unix_seconds));
  auto out = std::back_inserter(head);
  if (!response.content_type.empty()) fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
  for (const auto& [name, value] : response.headers) fmt::format_to(out, "{}: {}\r\n", name, value);
  const bool bodiless = response.status == 204 || response.status == 304;  // these tell no length
  if (length == BodyLength::kKnown && !bodiless) {
    fmt::format_to(out, "Content-Length: {}\r\n", response.body.size());
  }
  if (length == BodyLength::kChunked) head += "Transfer-Encoding: chunked\r\n";
  fmt::format_to(out, "Connection: {}\r\n\r\n", keep_alive ? "keep-alive" : "close");
  return head;
}

void append_chunk(std::string& out, std::string_view data) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", data.size());
  out += data;
  out += "\r\n";
}

void append_last_chunk(std::string& out) { out += "0\r\n\r\n"; }

std::string_view target_host(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) {
      target.remove_prefix(scheme.size());
      return target.substr(0, target.find_first_of("/?#"));
    }
  }
  return {};
}

std::string target_path(std::string_view target) {
  if (const std::string_view host = target_host(target); !host.empty()) {
    target.remove_prefix(static_cast<size_t>(host.end() - target.begin()));
    if (!target.starts_with('/')) return "/";
  }
  target = target.substr(0, target.find_first_of("?#"));
  return target.starts_with('/') ? percent_decoded(target).value_or("") : std::string();
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.substr(0, pair.find('=')) != name) continue;
    return percent_decoded(pair.substr(std::min(name.size() + 1, pair.size())));
  }
  return std::nullopt;
}

std::string target_query(std::string_view target) {
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string() : std::string(target.substr(mark + 1));
}

}  // namespace quire
