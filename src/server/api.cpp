#include "server/api.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "server/access/limited_run.h"
#include "server/json/request_fields.h"

namespace quire {
namespace {

// application/json, or some +json; parameters are of no matter. Forms, text/plain and nothing are what a web
// page can send across sites without being asked, so they are refused; nothing is fine but from a page.
bool is_json_type(std::string_view content_type, bool from_page) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  const std::string lower = ascii_lower(content_type);
  if (lower.empty()) return !from_page;
  return lower == "application/json" || lower.ends_with("+json");
}

// Where the client's base URL lacks /v1, or the path has a slash too many.
std::string meant_instead_of(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const std::string& meant : {std::string(path), fmt::format("/v1{}", path)}) {
    if (find_route(meant)) return fmt::format("; did you mean {}?", excerpt(meant));
  }
  return {};
}

// What was sent is not shown: it may be somebody's key.
ApiError unknown_key_error(std::string_view authorization) {
  constexpr std::string_view kHow = "send the header 'Authorization: Bearer KEY'";
  std::string message = fmt::format("this server needs an API key: {}", kHow);
  if (!ApiKeys::bearer_key(authorization).empty()) {
    message = "the API key is wrong: this server has no such key (any more)";
  } else if (!authorization.empty()) {
    message = fmt::format("the header Authorization is none of an API key: {}", kHow);
  }
  return {401, std::move(message), {}, "invalid_api_key", 0};
}

}  // namespace

Expected<> Api::read_keys(FunctionRef<Expected<std::vector<NamedKey>>()> read) {
  const std::lock_guard lock(reading_keys_);
  const auto keys = read();
  if (!keys) return std::unexpected(keys.error());
  const std::vector<TenantId> numbers = state_.keys.set_named(*keys);
  for (size_t i = 0; i < numbers.size(); ++i) {
    limiter_.set_limits(numbers[i], (*keys)[i].name, (*keys)[i].limits);
  }
  return {};
}

std::optional<ApiError> Api::refuse(const RequestHead& head) const {
  if (!hosts_.allows(head.host, state_.keys.required())) {
    return ApiError{
        403,
        fmt::format("this server is not known as '{}': call it by its address or as localhost, or "
                    "start it with --allowed-hosts",
                    excerpt(head.host)),
        {},
        "host_not_allowed",
        0};
  }
  if (cors_.preflight(head)) return std::nullopt;  // it never has a key
  const Route* route = find_route(head.path);
  if (!(route && route->open) && !state_.keys.accept(head.authorization))
    return unknown_key_error(head.authorization);
  if (!route)
    return ApiError{404,
                    fmt::format("there is no '{}' here{}", excerpt(head.path), meant_instead_of(head.path)),
                    {},
                    "not_found",
                    0};
  if (!route->endpoint(head.method)) {
    return ApiError{405,
                    fmt::format("{} takes {} only", excerpt(head.path), route->allowed_methods()),
                    {},
                    "method_not_allowed",
                    0};
  }
  const bool post = head.method == HttpMethod::kPost;
  if (post && !is_json_type(head.content_type, !head.origin.empty())) {
    return ApiError{
        415,
        fmt::format("the body must be application/json, but is '{}'", excerpt(head.content_type)),
        {},
        "unsupported_media_type",
        0};
  }
  if (post && !head.content_encoding.empty() && ascii_lower(head.content_encoding) != "identity") {
    return ApiError{
        415,
        fmt::format("bodies are read as they are sent, but the Content-Encoding of this one is '{}'",
                    excerpt(head.content_encoding)),
        {},
        "unsupported_content_encoding",
        0};
  }
  if (!route->open && !state_.loaded()) return loading_error();
  if (post && draining()) return draining_error();
  return std::nullopt;
}

// In this order: what drain() does not stop here is waited for.
PendingRequests::Entry Api::take() const {
  auto entry = state_.pending.enter();
  return draining() ? nullptr : std::move(entry);
}

Api::Reply Api::handle(RequestHead head, std::string_view body) const {
  if (auto response = cors_.preflight(head)) return std::move(*response);
  const Route* route = find_route(head.path);
  CHECK(route);
  head.tenant = state_.keys.find(head.authorization);
  if (!route->open && head.tenant == 0 && state_.keys.required())
    return error_response(unknown_key_error(head.authorization));
  const bool counts = route->counts == Counts::kYes && head.method == HttpMethod::kPost;
  ApiReply reply = counts ? admitted(*route, head, body) : route->endpoint(head.method)(state_, head, body);
  if (auto* response = std::get_if<HttpResponse>(&reply)) return std::move(*response);
  if (auto* run = std::get_if<std::unique_ptr<AnswerRun>>(&reply)) return std::move(*run);
  auto& [job, response] = std::get<BackgroundStart>(reply);
  if (const auto refused = state_.background.add(std::move(job))) return error_response(*refused);
  return std::move(response);
}

// Whatever generates comes through here: within its key's limits it is answered, and what it takes counts.
ApiReply Api::admitted(const Route& route, const RequestHead& head, std::string_view body) const {
  auto decision = limiter_.admit(head.tenant);
  ApiReply reply =
      decision.refused ? ApiReply(error_response(*decision.refused)) : route.post(state_, head, body);
  if (auto* response = std::get_if<HttpResponse>(&reply)) {
    std::ranges::move(decision.headers, std::back_inserter(response->headers));
    return reply;
  }
  if (auto* start = std::get_if<BackgroundStart>(&reply)) {
    start->response.headers.insert(start->response.headers.end(), decision.headers.begin(),
                                   decision.headers.end());
    start->job.run = std::make_unique<LimitedRun>(std::move(start->job.run), std::move(decision.admission),
                                                  ResponseHeaders());
    return reply;
  }
  return std::make_unique<LimitedRun>(std::move(std::get<std::unique_ptr<AnswerRun>>(reply)),
                                      std::move(decision.admission), std::move(decision.headers));
}

std::string Api::allowed_methods(std::string_view path) {
  const Route* route = find_route(path);
  return route ? route->allowed_methods() : std::string();
}

}  // namespace quire
