#include "server/api.h"

#include <algorithm>
#include <array>
#include <random>
#include <span>

#include "base/check.h"
#include "base/rng.h"
#include "server/engine_events.h"
#include "server/generation_run.h"
#include "server/page.h"
#include "server/prefix_request.h"
#include "server/prefix_response.h"
#include "server/sse.h"
#include "server/tokenize_request.h"

namespace quire {

struct Api::Route {
  using Answer = Reply (Api::*)(const RequestHead& head, std::string_view body) const;
  std::string_view path;  // one that ends with a slash, but the first, takes anything after it
  bool open;              // without a key, and before the model is loaded
  // By method, null if the path does not take it; HEAD is as GET.
  Answer get, post, remove = nullptr;

  Answer answer(HttpMethod method) const {
    switch (method) {
      case HttpMethod::kGet:
      case HttpMethod::kHead: return get;
      case HttpMethod::kPost: return post;
      case HttpMethod::kDelete: return remove;
      case HttpMethod::kOther: break;
    }
    return nullptr;
  }
};

std::span<const Api::Route> Api::routes() {
  static constexpr std::array<Route, 16> kRoutes{{
      {"/", true, &Api::page, nullptr},
      {"/page/", true, &Api::page, nullptr},
      {"/live", true, &Api::live, nullptr},
      {"/ready", true, &Api::ready, nullptr},
      {"/health", true, &Api::ready, nullptr},
      {"/version", false, &Api::version, nullptr},
      {"/metrics", false, &Api::metrics, nullptr},
      {"/v1/models", false, &Api::models, nullptr},
      {"/v1/models/", false, &Api::model, nullptr},
      {"/v1/completions", false, nullptr, &Api::completions},
      {"/v1/chat/completions", false, nullptr, &Api::chat_completions},
      {"/v1/prefixes", false, &Api::prefixes, &Api::pin_prefix},
      {"/v1/prefixes/", false, &Api::prefix, nullptr, &Api::unpin_prefix},
      {"/tokenize", false, nullptr, &Api::tokenize},
      {"/detokenize", false, nullptr, &Api::detokenize},
      {"/v1/engine/events", false, &Api::engine_events, nullptr},
  }};
  return kRoutes;
}

const Api::Route* Api::find_route(std::string_view path) {
  for (const auto& route : routes()) {
    const bool prefix =
        route.path.size() > 1 && route.path.ends_with('/') && path.size() > route.path.size();
    if (prefix ? path.starts_with(route.path) : path == route.path) return &route;
  }
  return nullptr;
}

std::string Api::allowed_methods(std::string_view path) {
  const Route* route = find_route(path);
  std::string methods;
  const auto add = [&](Route::Answer answer, std::string_view names) {
    if (answer) methods.append(methods.empty() ? "" : ", ").append(names);
  };
  if (!route) return methods;
  add(route->get, "GET, HEAD");
  add(route->post, "POST");
  add(route->remove, "DELETE");
  return methods;
}

namespace {

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// application/json, or some +json; parameters are of no matter. Forms, text/plain and nothing are what a web
// page can send across sites without being asked, so they are refused; nothing is fine but from a page.
bool is_json_type(std::string_view content_type, bool from_page) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  std::string lower(content_type);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (lower.empty()) return !from_page;
  return lower == "application/json" || lower.ends_with("+json");
}

ApiError loading() { return {503, "the model is being loaded", {}, "loading", 1}; }
ApiError draining_error() { return {503, "the server is shutting down", {}, "draining", 1}; }

// The body as a request, or the error that answers it.
template <class Request>
Expected<Request> parse(std::string_view body, Expected<Request> (*read)(JsonObject)) {
  const auto document = JsonDocument::parse(body);
  if (!document) return std::unexpected(document.error());
  return read(document->root());
}

std::string_view prefix_in(std::string_view path) {
  return path.substr(std::string_view("/v1/prefixes/").size());
}

ApiError prefix_not_found(std::string_view name) {
  return {404,
          fmt::format("no prefix '{}' is pinned; /v1/prefixes lists those that are", excerpt(name)),
          {},
          "prefix_not_found",
          0};
}

HttpResponse failure(const Error& error) { return error_response(to_api_error(error)); }

void write_model(JsonWriter& json, const ServedModel& model, std::string_view name) {
  json.begin_object();
  json.field("id", name);
  json.field("object", "model");
  json.field("created", model.created);
  json.field("owned_by", "quire");
  json.field("root", model.names.front());
  json.null_field("parent");
  json.field("max_model_len", model.max_model_len());
  json.end_object();
}

std::string tokens_json(const ServedModel& model, std::span<const TokenId> ids, bool with_strings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("count", ids.size());
  json.field("max_model_len", model.max_model_len());
  json.key("tokens");
  json.begin_array();
  for (const TokenId id : ids) json.integer(id);
  json.end_array();
  json.key("token_strs");
  if (with_strings) {  // as the vocabulary spells them
    json.begin_array();
    for (const TokenId id : ids) json.string(model.tokenizer.spec().tokens[static_cast<size_t>(id)]);
    json.end_array();
  } else {
    json.null();
  }
  json.end_object();
  return out;
}

}  // namespace

Api::Api(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics)
    : keys_(config.api_key),
      max_engine_viewers_(config.max_engine_viewers),
      clock_(clock),
      metrics_(metrics),
      id_seed_(random_seed()) {}

std::optional<ApiError> Api::refuse(const RequestHead& head) const {
  const Route* route = find_route(head.path);
  if (!(route && route->open) && !keys_.accept(head.authorization)) {
    return ApiError{401,
                    "this server needs an API key: send the header 'Authorization: Bearer KEY'",
                    {},
                    "invalid_api_key",
                    0};
  }
  if (!route)
    return ApiError{404, fmt::format("there is no '{}' here", excerpt(head.path)), {}, "not_found", 0};
  if (!route->answer(head.method)) {
    return ApiError{405,
                    fmt::format("{} takes {} only", excerpt(head.path), allowed_methods(head.path)),
                    {},
                    "method_not_allowed",
                    0};
  }
  const bool post = head.method == HttpMethod::kPost;
  if (post && !is_json_type(head.content_type, head.has_origin)) {
    return ApiError{
        415,
        fmt::format("the body must be application/json, but is '{}'", excerpt(head.content_type)),
        {},
        "unsupported_media_type",
        0};
  }
  if (!route->open && !model_.load()) return loading();
  if (post && draining()) return draining_error();
  return std::nullopt;
}

Api::Reply Api::handle(const RequestHead& head, std::string_view body) const {
  const Route* route = find_route(head.path);
  CHECK(route);
  return (this->*route->answer(head.method))(head, body);
}

Api::Reply Api::live(const RequestHead&, std::string_view) const {
  return json_response(R"({"status":"ok"})");
}

Api::Reply Api::ready(const RequestHead&, std::string_view) const {
  if (!model_.load()) return error_response(loading());
  if (draining()) return error_response(draining_error());
  return json_response(R"({"status":"ok"})");
}

Api::Reply Api::version(const RequestHead&, std::string_view) const {
  return json_response("{\"version\":\"" QUIRE_VERSION "\"}");
}

Api::Reply Api::metrics(const RequestHead&, std::string_view) const {
  return HttpResponse{200, "text/plain; version=0.0.4; charset=utf-8", {}, metrics_.render()};
}

Api::Reply Api::models(const RequestHead&, std::string_view) const {
  const ServedModel& served = *model_.load();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (const auto& name : served.names) write_model(json, served, name);
  json.end_array();
  json.end_object();
  return json_response(std::move(out));
}

Api::Reply Api::model(const RequestHead& head, std::string_view) const {
  const ServedModel& served = *model_.load();
  const std::string name = head.path.substr(std::string_view("/v1/models/").size());
  if (!served.has_name(name)) return error_response(model_not_found(excerpt(name)).error());
  std::string out;
  JsonWriter json(out);
  write_model(json, served, name);
  return json_response(std::move(out));
}

Api::Reply Api::tokenize(const RequestHead&, std::string_view body) const {
  const ServedModel& served = *model_.load();
  const auto request = parse(body, read_tokenize_request);
  if (!request) return failure(request.error());
  if (!request->model.empty() && !served.has_name(request->model)) {
    return error_response(model_not_found(excerpt(request->model)).error());
  }
  if (request->prompt) {
    const auto ids = tokenize_text(served, *request->prompt, request->add_special_tokens.value_or(true),
                                   request->parse_special);
    return json_response(tokens_json(served, ids, request->return_token_strs));
  }
  auto ids = tokenize_messages(served, request->messages, request->add_generation_prompt);
  if (!ids) return failure(ids.error());
  const TokenizerSpec& spec = served.tokenizer.spec();
  if (request->add_special_tokens.value_or(false) && spec.add_bos && spec.bos)
    ids->insert(ids->begin(), *spec.bos);
  return json_response(tokens_json(served, *ids, request->return_token_strs));
}

Api::Reply Api::detokenize(const RequestHead&, std::string_view body) const {
  const ServedModel& served = *model_.load();
  const auto request = parse(body, read_detokenize_request);
  if (!request) return failure(request.error());
  if (!request->model.empty() && !served.has_name(request->model)) {
    return error_response(model_not_found(excerpt(request->model)).error());
  }
  if (auto checked = check_token_ids("tokens", served, request->tokens); !checked)
    return failure(checked.error());
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("prompt", served.tokenizer.decode(request->tokens, false));
  json.end_object();
  return json_response(std::move(out));
}

Api::Reply Api::completions(const RequestHead& head, std::string_view body) const {
  auto request = parse(body, read_completion_request);
  if (!request) return failure(request.error());
  const bool echo = request->echo, prompt_only = request->prompt_only();
  return generate(head, kCompletionFormat, std::move(*request), echo, prompt_only);
}

Api::Reply Api::chat_completions(const RequestHead& head, std::string_view body) const {
  auto request = parse(body, read_chat_request);
  if (!request) return failure(request.error());
  return generate(head, kChatFormat, std::move(*request), false, false);
}

Api::Reply Api::pin_prefix(const RequestHead& head, std::string_view body) const {
  auto request = parse(body, read_prefix_request);
  if (!request) return failure(request.error());
  return generate(head, kCompletionFormat, std::move(*request), false, true);
}

Api::Reply Api::prefixes(const RequestHead& head, std::string_view) const {
  const ServedModel& served = *model_.load();
  const auto pinned = served.engine.pinned_prefixes(keys_.find(head.authorization));
  return json_response(prefix_list_json(served, pinned));
}

Api::Reply Api::prefix(const RequestHead& head, std::string_view) const {
  const ServedModel& served = *model_.load();
  const auto pinned = served.engine.pinned_prefixes(keys_.find(head.authorization));
  const PinnedPrefix* found = find_prefix(pinned, prefix_in(head.path));
  if (found == nullptr) return error_response(prefix_not_found(prefix_in(head.path)));
  return json_response(prefix_json(served, *found));
}

Api::Reply Api::unpin_prefix(const RequestHead& head, std::string_view) const {
  const ServedModel& served = *model_.load();
  const TenantId tenant = keys_.find(head.authorization);
  const auto pinned = served.engine.pinned_prefixes(tenant);
  const PinnedPrefix* found = find_prefix(pinned, prefix_in(head.path));
  if (found == nullptr || !served.engine.unpin(found->id, tenant)) {
    return error_response(prefix_not_found(prefix_in(head.path)));
  }
  return json_response(deleted_prefix_json(prefix_in(head.path)));
}

template <class Request>
Api::Reply Api::generate(const RequestHead& head, const ResponseFormat& format, Request request, bool echo,
                         bool prompt_only) const {
  const ServedModel& served = *model_.load();
  if (!request.model.empty() && !served.has_name(request.model)) {
    return error_response(model_not_found(excerpt(request.model)).error());
  }
  request.tenant = keys_.find(head.authorization);
  ResponseContext context = new_context(format, request);
  context.prompt_logprobs = context.prompt_logprobs && !echo;
  const RunOptions options{
      .format = &format,
      .stream = request.stream,
      .include_usage = request.include_usage,
      .echo = echo,
      .prompt_only = prompt_only,
      .asker = {.tenant = request.tenant, .priority = request.priority, .cache_salt = request.cache_salt}};
  auto prompts = prepare(served, std::move(request));
  if (!prompts) return failure(prompts.error());
  auto run = GenerationRun::start(served, options, std::move(context), std::move(*prompts));
  if (!run) return error_response(run.error());
  return std::unique_ptr<AnswerRun>(std::move(*run));
}

Api::Reply Api::engine_events(const RequestHead& head, std::string_view) const {
  if (head.method == HttpMethod::kHead) return HttpResponse{200, std::string(kEventStream), {}, {}};
  auto events = EngineEvents::start(*model_.load(), max_engine_viewers_, num_engine_viewers_);
  if (!events) return error_response(events.error());
  return std::unique_ptr<AnswerRun>(std::move(*events));
}

Api::Reply Api::page(const RequestHead& head, std::string_view) const {
  return page_response(head.path, head.if_none_match);
}

ResponseContext Api::new_context(const ResponseFormat& format, const GenerationRequest& request) const {
  const ServedModel& served = *model_.load();
  const uint64_t number = num_ids_.fetch_add(1, std::memory_order_relaxed);
  return {.tokenizer = served.tokenizer,
          .id = fmt::format("{}{:016x}{:016x}", format.id_prefix, random_bits(id_seed_, 2 * number),
                            random_bits(id_seed_, 2 * number + 1)),
          .model = request.model.empty() ? served.names.front() : request.model,
          .created = clock_.unix_seconds(),
          .logprobs = request.sampling.logprobs.has_value(),
          .skip_special_tokens = request.sampling.skip_special_tokens,
          .return_token_ids = request.return_token_ids,
          .prompt_logprobs = request.sampling.prompt_logprobs.has_value(),
          .prompts = {}};
}

}  // namespace quire
