#include "server/access/allowed_hosts.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"
#include "server/json/request_fields.h"
#include "server/server_config.h"

namespace quire {
namespace {

std::string lower_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);  // a name from the root on
  return ascii_lower(name);
}

// "[::1]:8000" and "name:8000" without their ports and brackets.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

// Names that no public server can have (RFC 6761; ICANN's reservation of .internal): containers call their
// host by host.docker.internal.
bool is_localhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost") || name.ends_with(".internal");
}

bool is_loopback(std::string_view host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return error ? is_localhost(lower_name(host)) : address.is_loopback();
}

}  // namespace

AllowedHosts::AllowedHosts(std::string_view list, std::string_view bound_host) {
  for (const auto& name : split_list(list)) names_.push_back(lower_name(name));
  if (names_ == std::vector<std::string>{"*"}) return;
  if (!names_.empty()) {
    check_ = Check::kAlways;
  } else if (is_loopback(bound_host)) {
    check_ = Check::kWithoutKey;
  }
  names_.push_back(lower_name(bound_host));
}

bool AllowedHosts::allows(std::string_view host, bool needs_key) const {
  if (check_ == Check::kNever || (check_ == Check::kWithoutKey && needs_key) || host.empty()) return true;
  const std::string name = lower_name(without_port(host));
  return is_address(name) || is_localhost(name) || std::ranges::find(names_, name) != names_.end();
}

Expected<> check_hosts(std::string_view hosts) {
  const std::vector<std::string> list = split_list(hosts);
  for (const auto& host : list) {
    if (host == "*" && list.size() == 1) continue;
    if (host == "*") return fail_param("allowed_hosts", "allowed_hosts is * or a list, not both");
    if (host.find_first_of(":/?#@* ") != std::string::npos) {
      return fail_param(
          "allowed_hosts",
          "allowed_hosts has '{}', which is no name: write it like quire.example.org, without "
          "scheme and port",
          excerpt(host));
    }
  }
  return {};
}

}  // namespace quire
