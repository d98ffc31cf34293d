#include "server/access/cors.h"

#include <algorithm>

#include "server/json/request_fields.h"
#include "server/server_config.h"

namespace quire {
namespace {

constexpr size_t kMaxRequestedHeaders = 1024;  // bytes of their list
constexpr std::string_view kReadable =
    "X-Request-Id, Retry-After, X-RateLimit-Limit-Requests, X-RateLimit-Remaining-Requests, "
    "X-RateLimit-Reset-Requests, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining-Tokens, "
    "X-RateLimit-Reset-Tokens";

// A list of names of headers, and nothing that could end the line.
bool is_name_list(std::string_view text) {
  return text.size() <= kMaxRequestedHeaders && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == ',' || c == ' ';
         });
}

bool is_origin(std::string_view text) {
  const size_t scheme_end = text.find("://");
  if (scheme_end == 0 || scheme_end == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme_end + 3);
  return !host.empty() && host.find_first_of("/?#@* ") == std::string_view::npos;
}

}  // namespace

CorsPolicy::CorsPolicy(std::string_view origins) : origins_(split_list(origins)) {
  any_ = origins_ == std::vector<std::string>{"*"};
}

bool CorsPolicy::allows(std::string_view origin) const {
  return !origin.empty() && (any_ || std::ranges::find(origins_, origin) != origins_.end());
}

std::optional<HttpResponse> CorsPolicy::preflight(const RequestHead& head) const {
  const bool asks = head.method == HttpMethod::kOptions && !head.origin.empty() && head.asks_for_method;
  if (!asks || origins_.empty()) return std::nullopt;
  if (!allows(head.origin)) {
    return error_response(
        {403,
         fmt::format("pages of '{}' may not use this server (--allowed-origins)", excerpt(head.origin)),
         {},
         "origin_not_allowed",
         0});
  }
  HttpResponse response{204, {}, {{"Access-Control-Allow-Methods", "GET, POST, DELETE"}}, {}};
  // What a request may say in other headers, its body could too.
  if (!head.asks_for_headers.empty() && is_name_list(head.asks_for_headers)) {
    response.headers.emplace_back("Access-Control-Allow-Headers", head.asks_for_headers);
  }
  response.headers.emplace_back("Access-Control-Max-Age", "600");
  return response;
}

void CorsPolicy::add_headers(const RequestHead& head, HttpResponse& response) const {
  if (origins_.empty()) return;
  if (!any_) response.headers.emplace_back("Vary", "Origin");
  if (!allows(head.origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", any_ ? std::string("*") : head.origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", kReadable);
}

Expected<> check_origins(std::string_view origins) {
  const std::vector<std::string> list = split_list(origins);
  for (const auto& origin : list) {
    if (origin == "*" && list.size() == 1) continue;
    if (origin == "*") return fail_param("allowed_origins", "allowed_origins is * or a list, not both");
    if (!is_origin(origin)) {
      return fail_param("allowed_origins",
                        "allowed_origins has '{}', which is no origin: write it like "
                        "https://app.example.org, without a path",
                        excerpt(origin));
    }
  }
  return {};
}

}  // namespace quire
