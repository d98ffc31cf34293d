#include "server/trace/span.h"

#include <fmt/format.h>

#include "server/json/json_writer.h"

namespace quire {
namespace {

constexpr int kInternal = 1, kServer = 2;  // SpanKind
constexpr int kStatusError = 2;

// 64-bit integers are strings in Protobuf's JSON.
void write_int64(JsonWriter& json, int64_t value) { json.string(fmt::format("{}", value)); }

void write_text(JsonWriter& json, std::string_view text) {
  json.begin_object();
  json.field("stringValue", text);
  json.end_object();
}

void write_value(JsonWriter& json, const SpanValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return write_text(json, *text);
  json.begin_object();
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    json.key("intValue");
    write_int64(json, *integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    json.field("doubleValue", *number);
  } else {
    json.key("arrayValue");
    json.begin_object();
    json.key("values");
    json.begin_array();
    for (const std::string& text : std::get<std::vector<std::string>>(value)) write_text(json, text);
    json.end_array();
    json.end_object();
  }
  json.end_object();
}

void write_attribute(JsonWriter& json, std::string_view name, const SpanValue& value) {
  json.begin_object();
  json.field("key", name);
  json.key("value");
  write_value(json, value);
  json.end_object();
}

void write_span(JsonWriter& json, const TraceSpan& span) {
  json.begin_object();
  json.field("traceId", span.trace_id);
  json.field("spanId", span.span_id);
  if (!span.parent_span_id.empty()) json.field("parentSpanId", span.parent_span_id);
  if (!span.trace_state.empty()) json.field("traceState", span.trace_state);
  json.field("name", span.name);
  json.field("kind", span.is_server ? kServer : kInternal);
  json.key("startTimeUnixNano");
  write_int64(json, span.start_unix_ns);
  json.key("endTimeUnixNano");
  write_int64(json, span.end_unix_ns);
  json.key("attributes");
  json.begin_array();
  for (const auto& [name, value] : span.attributes) write_attribute(json, name, value);
  json.end_array();
  if (span.failed) {
    json.key("status");
    json.begin_object();
    json.field("code", kStatusError);
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::string spans_json(std::string_view service_name, std::string_view instance_id,
                       std::span<const TraceSpan> spans) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("resourceSpans");
  json.begin_array();
  json.begin_object();
  json.key("resource");
  json.begin_object();
  json.key("attributes");
  json.begin_array();
  write_attribute(json, "service.name", std::string(service_name));
  write_attribute(json, "service.version", std::string(QUIRE_VERSION));
  write_attribute(json, "service.instance.id", std::string(instance_id));
  json.end_array();
  json.end_object();
  json.key("scopeSpans");
  json.begin_array();
  json.begin_object();
  json.key("scope");
  json.begin_object();
  json.field("name", "quire");
  json.field("version", QUIRE_VERSION);
  json.end_object();
  json.key("spans");
  json.begin_array();
  for (const TraceSpan& span : spans) write_span(json, span);
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace quire
