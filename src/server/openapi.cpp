#include "server/openapi.h"

#include <array>

#include "server/embedded_files.h"
#include "server/operations.h"
#include "server/routes.h"

namespace quire {
namespace {

struct Status {
  std::string_view code, meaning;
};

constexpr std::array<Status, 12> kErrors{{
    {"400", "a field is missing, of the wrong type, unknown or out of range, or does not go with another"},
    {"401", "the server has API keys, and none of them was sent"},
    {"403", "the host that the request names is not one that the server answers for"},
    {"404", "there is no such model, prefix or path"},
    {"408", "the request took too long to arrive"},
    {"413", "the body is longer than the server takes"},
    {"415", "the body is not JSON by its type, or is compressed"},
    {"417", "the header expects what is not 100-continue"},
    {"429", "as many requests wait, run or watch as the server or the API key's limits let"},
    {"431", "the header is longer than the server takes"},
    {"500", "the engine failed"},
    {"503", "the model is being loaded, the server is shutting down, or the request waited too long"},
}};

// Those of every method, beside an operation's own.
constexpr std::string_view kErrorsOfAll = "401 403 417 431 503";
constexpr std::string_view kErrorsOfBodies = "400 408 413 415 500";

std::string_view method_name(HttpMethod method) {
  switch (method) {
    case HttpMethod::kPost: return "post";
    case HttpMethod::kDelete: return "delete";
    default: return "get";
  }
}

std::string reference(std::string_view kind, std::string_view name) {
  return fmt::format(R"({{"$ref":"#/components/{}/{}"}})", kind, name);
}

// How a stream of such events ends, and what it says of a failure.
std::string_view stream_description(std::string_view event) {
  if (event == "MessageEvent")
    return "each event, whose name is the type of its data; the last one is message_stop or error";
  if (event == "ResponseEvent")
    return "each event, whose name is the type of its data; the last one is response.completed, "
           "response.incomplete or response.failed";
  if (event == "EngineView") return "each event; the last one's data is [DONE], when the server ends";
  return "each event; the last one's data is [DONE], and that of a failure in between is an Error";
}

// The data of such an event: JSON, but for the last one where others do not end by themselves.
std::string event_data_schema(std::string_view event) {
  const auto json_of = [](std::string_view schema) {
    return fmt::format(R"({{"type":"string","contentMediaType":"application/json","contentSchema":{}}})",
                       schema);
  };
  const std::string own = reference("schemas", event);
  if (!stream_description(event).contains("[DONE]")) return json_of(own);
  const std::string failure = reference("schemas", "Error");
  return fmt::format(R"({{"anyOf":[{{"const":"[DONE]"}},{}]}})",
                     json_of(fmt::format(R"({{"anyOf":[{},{}]}})", own, failure)));
}

void write_content(JsonWriter& json, const Operation& operation) {
  json.key("content");
  json.begin_object();
  const auto write = [&](std::string_view type, std::string_view schema) {
    json.key(type);
    json.begin_object();
    json.key("schema");
    json.raw(schema);
    json.end_object();
  };
  if (!operation.answer.empty()) write("application/json", reference("schemas", operation.answer));
  if (!operation.event.empty()) {
    write("text/event-stream",
          fmt::format(
              R"({{"type":"object","description":"{}","required":["data"],"properties":{{"data":{}}}}})",
              stream_description(operation.event), event_data_schema(operation.event)));
  }
  if (operation.answer.empty() && operation.event.empty()) write("text/plain", R"({"type":"string"})");
  json.end_object();
}

// What the shared description of an error is called.
std::string error_name(const Status& error, ErrorShape shape) {
  return fmt::format("{}{}", shape == ErrorShape::kAnthropic ? "Message" : "", error.code);
}

void write_responses(JsonWriter& json, const Operation& operation, ErrorShape errors) {
  json.key("responses");
  json.begin_object();
  json.key("200");
  json.begin_object();
  json.field("description", "the answer");
  write_content(json, operation);
  json.end_object();
  for (const auto& error : kErrors) {
    const bool here = kErrorsOfAll.contains(error.code) || operation.errors.contains(error.code) ||
                      (operation.write_body && kErrorsOfBodies.contains(error.code));
    if (!here) continue;
    json.key(error.code);
    json.raw(reference("responses", error_name(error, errors)));
  }
  json.end_object();
}

// What stands in braces in the path, and in the query of such a path.
void write_parameters(JsonWriter& json, const Operation& operation) {
  const std::string_view path = operation.path;
  const size_t open = path.find('{');
  if (open == std::string_view::npos) return;
  json.key("parameters");
  json.begin_array();
  json.begin_object();
  json.field("name", path.substr(open + 1, path.find('}') - open - 1));
  json.field("in", "path");
  json.field("required", true);
  json.key("schema");
  json.raw(R"({"type":"string","minLength":1})");
  json.end_object();
  if (!operation.query.empty()) json.raw(operation.query);
  json.end_array();
}

void write_operation(JsonWriter& json, const Operation& operation) {
  json.key(method_name(operation.method));
  json.begin_object();
  json.field("operationId", operation.id);
  json.field("summary", operation.summary);
  const Route* route = find_route(operation.path);
  if (route && route->open) {
    json.key("security");
    json.raw("[]");
  }
  write_parameters(json, operation);
  if (operation.write_body) {
    json.key("requestBody");
    json.begin_object();
    json.field("required", true);
    json.key("content");
    json.begin_object();
    json.key("application/json");
    json.begin_object();
    json.key("schema");
    operation.write_body(json);
    json.end_object();
    json.end_object();
    json.end_object();
  }
  write_responses(json, operation, route ? route->errors : ErrorShape::kOpenAi);
  json.end_object();
}

// Operations of one path stand together in the table.
void write_paths(JsonWriter& json) {
  json.key("paths");
  json.begin_object();
  std::string_view path;
  for (const auto& operation : operations()) {
    if (operation.path != path) {
      if (!path.empty()) json.end_object();
      path = operation.path;
      json.key(path);
      json.begin_object();
    }
    write_operation(json, operation);
  }
  json.end_object();
  json.end_object();
}

void write_components(JsonWriter& json) {
  json.key("components");
  json.begin_object();
  json.key("securitySchemes");
  json.raw(R"({"key":{"type":"http","scheme":"bearer"}})");
  json.key("responses");
  json.begin_object();
  for (const ErrorShape shape : {ErrorShape::kOpenAi, ErrorShape::kAnthropic}) {
    const std::string_view schema = shape == ErrorShape::kAnthropic ? "MessageError" : "Error";
    for (const auto& error : kErrors) {
      json.key(error_name(error, shape));
      json.begin_object();
      json.field("description", error.meaning);
      json.key("content");
      json.raw(fmt::format(R"({{"application/json":{{"schema":{}}}}})", reference("schemas", schema)));
      json.end_object();
    }
  }
  json.end_object();
  json.key("schemas");
  json.begin_object();
  for (const auto& file : openapi_files()) {
    json.key(file.name.substr(0, file.name.rfind('.')));
    json.raw(file.text.substr(0, file.text.rfind('}') + 1));  // without the line break at its end
  }
  json.end_object();
  json.end_object();
}

std::string make_document() {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("openapi", "3.1.0");
  json.key("info");
  json.begin_object();
  json.field("title", "Quire");
  json.field("version", QUIRE_VERSION);
  json.field("description", "Large language models from paged KV memory, over OpenAI's API");
  json.key("license");
  json.raw(R"({"name":"Apache-2.0","identifier":"Apache-2.0"})");
  json.end_object();
  json.key("servers");
  json.raw(R"([{"url":"/"}])");
  json.key("security");
  json.raw(R"([{},{"key":[]}])");
  write_paths(json);
  write_components(json);
  json.end_object();
  return out;
}

}  // namespace

const std::string& openapi_document() {
  static const std::string document = make_document();
  return document;
}

}  // namespace quire
