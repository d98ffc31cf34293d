#include "server/routes.h"

#include <algorithm>
#include <iterator>

#include "server/endpoints/completions.h"
#include "server/endpoints/embeddings.h"
#include "server/endpoints/messages.h"
#include "server/endpoints/models.h"
#include "server/endpoints/prefixes.h"
#include "server/endpoints/responses.h"
#include "server/endpoints/service.h"
#include "server/endpoints/tokenization.h"

namespace quire {
namespace {

constexpr Route kRoutes[] = {
    {"/", true, Counts::kNo, get_page, nullptr},
    {"/page/", true, Counts::kNo, get_page, nullptr},
    {"/live", true, Counts::kNo, get_live, nullptr},
    {"/ready", true, Counts::kNo, get_ready, nullptr},
    {"/health", true, Counts::kNo, get_ready, nullptr},
    {"/version", false, Counts::kNo, get_version, nullptr},
    {"/openapi.json", false, Counts::kNo, get_openapi, nullptr},
    {"/metrics", false, Counts::kNo, get_metrics, nullptr},
    {"/v1/models", false, Counts::kNo, list_models, nullptr},
    {"/v1/models/", false, Counts::kNo, get_model, nullptr},
    {"/v1/completions", false, Counts::kYes, nullptr, create_completion},
    {"/v1/chat/completions", false, Counts::kYes, nullptr, create_chat_completion},
    {"/v1/embeddings", false, Counts::kYes, nullptr, create_embeddings},
    {"/v1/messages", false, Counts::kYes, nullptr, create_message, nullptr, ErrorShape::kAnthropic},
    {"/v1/messages/count_tokens", false, Counts::kNo, nullptr, count_message_tokens, nullptr,
     ErrorShape::kAnthropic},
    {"/v1/responses", false, Counts::kYes, nullptr, create_response},
    {"/v1/responses/input_tokens", false, Counts::kNo, nullptr, count_response_tokens},
    {"/v1/responses/*/input_items", false, Counts::kNo, list_input_items, nullptr},
    {"/v1/responses/*/cancel", false, Counts::kNo, nullptr, cancel_response},
    {"/v1/responses/", false, Counts::kNo, get_response, nullptr, delete_response},
    {"/v1/prefixes", false, Counts::kYes, list_prefixes, pin_prefix},
    {"/v1/prefixes/", false, Counts::kNo, get_prefix, nullptr, unpin_prefix},
    {"/tokenize", false, Counts::kNo, nullptr, tokenize},
    {"/detokenize", false, Counts::kNo, nullptr, detokenize},
    {"/tokenizer_info", false, Counts::kNo, get_tokenizer_info, nullptr},
    {"/v1/engine/events", false, Counts::kNo, stream_engine_events, nullptr},
};

// Paths of Anthropic's clients, those that nothing answers at included.
constexpr std::string_view kAnthropicPaths = "/v1/messages/";

bool takes(const Route& route, std::string_view path) {
  const std::string_view own = route.path;
  if (const size_t star = own.find('*'); star != std::string_view::npos) {
    const std::string_view before = own.substr(0, star), after = own.substr(star + 1);
    return path.size() > before.size() + after.size() && path.starts_with(before) && path.ends_with(after);
  }
  if (own.size() == 1 || !own.ends_with('/')) return path == own;
  // Ids of models and paths of the page may have slashes in them.
  const bool deep = own == "/v1/models/" || own == "/page/";
  return path.size() > own.size() && path.starts_with(own) &&
         (deep || path.find('/', own.size()) == std::string_view::npos);
}

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

bool is_anthropics(std::string_view path) {
  const Route* route = find_route(path);
  return route != nullptr ? route->errors == ErrorShape::kAnthropic : path.starts_with(kAnthropicPaths);
}

void reshape_error(std::string_view path, std::string_view request_id, HttpResponse& response) {
  if (!response.error || !is_anthropics(path)) return;
  response.body = to_json(*response.error, ErrorShape::kAnthropic, request_id);
}

std::span<const Route> routes() { return kRoutes; }

const Route* find_route(std::string_view path) {
  const auto found =
      std::ranges::find_if(kRoutes, [path](const Route& route) { return takes(route, path); });
  return found == std::end(kRoutes) ? nullptr : &*found;
}

}  // namespace quire
