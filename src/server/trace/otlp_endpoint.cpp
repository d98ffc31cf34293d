#include "server/trace/otlp_endpoint.h"

#include <algorithm>
#include <charconv>

namespace quire {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

std::unexpected<Error> bad_endpoint(std::string_view url, std::string_view why) {
  return fail_param(
      "otlp_endpoint",
      "the OTLP endpoint '{}' {}: write http://HOST:4318, the address of a collector that takes "
      "OTLP over HTTP",
      url, why);
}

}  // namespace

Expected<OtlpEndpoint> parse_otlp_endpoint(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.starts_with("https://")) return bad_endpoint(url, "is https, which is not spoken here");
  if (!url.starts_with(kScheme)) return bad_endpoint(url, "does not begin with http://");
  const std::string_view rest = url.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash), path = rest.substr(slash);
  if (rest.find_first_of(" ?#@\r\n\t") != std::string_view::npos) {
    return bad_endpoint(url, "has a user, a query or a space");
  }
  OtlpEndpoint endpoint;
  const size_t bracket = authority.rfind(']');  // of an IPv6 address
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0) {
      return bad_endpoint(url, "has no port between 1 and 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) return bad_endpoint(url, "has no host");
  endpoint.host = authority;
  while (path.ends_with('/')) path.remove_suffix(1);
  endpoint.path = path;
  if (!path.ends_with(kTracesPath)) endpoint.path += kTracesPath;
  return endpoint;
}

}  // namespace quire
