// Spans of OpenTelemetry as plain data, and their form on the wire: OTLP 1.x in JSON
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace quire {

using SpanValue = std::variant<std::string, int64_t, double, std::vector<std::string>>;

struct TraceSpan {
  std::string trace_id;        // 32 hex digits
  std::string span_id;         // 16
  std::string parent_span_id;  // empty: the trace begins here
  std::string trace_state;
  std::string name;
  bool is_server = false;  // the request itself, rather than a part of it
  int64_t start_unix_ns = 0;
  int64_t end_unix_ns = 0;
  std::vector<std::pair<std::string, SpanValue>> attributes;
  bool failed = false;  // for a server, only what is not the client's fault
};

// The body of a POST to /v1/traces.
std::string spans_json(std::string_view service_name, std::string_view instance_id,
                       std::span<const TraceSpan> spans);

}  // namespace quire
