#include "server/routes.h"

#include <array>

#include "server/endpoints/completions.h"
#include "server/endpoints/models.h"
#include "server/endpoints/prefixes.h"
#include "server/endpoints/service.h"
#include "server/endpoints/tokenization.h"

namespace quire {
namespace {

constexpr std::array<Route, 17> kRoutes{{
    {"/", true, get_page, nullptr},
    {"/page/", true, get_page, nullptr},
    {"/live", true, get_live, nullptr},
    {"/ready", true, get_ready, nullptr},
    {"/health", true, get_ready, nullptr},
    {"/version", false, get_version, nullptr},
    {"/metrics", false, get_metrics, nullptr},
    {"/v1/models", false, list_models, nullptr},
    {"/v1/models/", false, get_model, nullptr},
    {"/v1/completions", false, nullptr, create_completion},
    {"/v1/chat/completions", false, nullptr, create_chat_completion},
    {"/v1/prefixes", false, list_prefixes, pin_prefix},
    {"/v1/prefixes/", false, get_prefix, nullptr, unpin_prefix},
    {"/tokenize", false, nullptr, tokenize},
    {"/detokenize", false, nullptr, detokenize},
    {"/tokenizer_info", false, get_tokenizer_info, nullptr},
    {"/v1/engine/events", false, stream_engine_events, nullptr},
}};

}  // namespace

Endpoint Route::endpoint(HttpMethod method) const {
  switch (method) {
    case HttpMethod::kGet:
    case HttpMethod::kHead: return get;
    case HttpMethod::kPost: return post;
    case HttpMethod::kDelete: return remove;
    case HttpMethod::kOptions:
    case HttpMethod::kOther: break;
  }
  return nullptr;
}

std::string Route::allowed_methods() const {
  std::string methods;
  const auto add = [&](Endpoint endpoint, std::string_view names) {
    if (endpoint) methods.append(methods.empty() ? "" : ", ").append(names);
  };
  add(get, "GET, HEAD");
  add(post, "POST");
  add(remove, "DELETE");
  return methods;
}

std::span<const Route> routes() { return kRoutes; }

const Route* find_route(std::string_view path) {
  for (const auto& route : kRoutes) {
    const bool prefix =
        route.path.size() > 1 && route.path.ends_with('/') && path.size() > route.path.size();
    if (prefix ? path.starts_with(route.path) : path == route.path) return &route;
  }
  return nullptr;
}

}  // namespace quire
