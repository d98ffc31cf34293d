#include "server/http/api_error.h"

#include "server/json/json_writer.h"

namespace quire {

ApiError to_api_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported: return {400, error.message, error.param, {}, 0};
    // OpenAI's word, by which agents know that they must shorten what they send.
    case ErrorCode::kContextExceeded:
      return {400, error.message, error.param, "context_length_exceeded", 0};
    case ErrorCode::kNotFound: return {404, error.message, error.param, {}, 0};
    case ErrorCode::kResourceExhausted: return {429, error.message, error.param, "queue_full", 1};
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled: return {503, error.message, error.param, "unavailable", 1};
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: break;
  }
  return {500, error.message, error.param, "internal_error", 0};
}

std::unexpected<ApiError> model_not_found(std::string_view model) {
  return std::unexpected(
      ApiError{404, fmt::format("the model '{}' is not served here; /v1/models lists what is", model),
               "model", "model_not_found", 0});
}

ApiError loading_error() { return {503, "the model is being loaded", {}, "loading", 1}; }

ApiError draining_error() { return {503, "the server is shutting down", {}, "draining", 1}; }

std::string_view error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    case 503: return "service_unavailable_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
  }
}

namespace {

// Anthropic's word for the kind of error.
std::string_view anthropic_error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

std::string to_anthropic_json(const ApiError& error, std::string_view request_id) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("type", "error");
  json.key("error");
  json.begin_object();
  json.field("type", anthropic_error_type(error.status));
  // There is no member for the field at fault, and not every message names it.
  const bool names_it = error.param.empty() || error.message.find(error.param) != std::string::npos;
  json.field("message", names_it ? error.message : fmt::format("{}: {}", error.param, error.message));
  if (!error.code.empty()) {
    json.key("details");
    json.begin_object();
    json.field("error_code", error.code);
    json.end_object();
  }
  json.end_object();
  if (!request_id.empty()) json.field("request_id", request_id);
  json.end_object();
  return out;
}

}  // namespace

std::string to_json(const ApiError& error, ErrorShape shape, std::string_view request_id) {
  if (shape == ErrorShape::kAnthropic) return to_anthropic_json(error, request_id);
  std::string out;
  JsonWriter json(out);
  const auto text_or_null = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return json.null_field(name);
    json.field(name, text);
  };
  json.begin_object();
  json.key("error");
  json.begin_object();
  json.field("message", error.message);
  json.field("type", error_type(error.status));
  text_or_null("param", error.param);
  text_or_null("code", error.code);
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace quire
