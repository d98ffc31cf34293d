// Which trace a request belongs to, as its client says it: W3C Trace Context, level 1
// (https://www.w3.org/TR/trace-context-1/).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quire {

struct TraceContext {
  std::string trace_id;     // 32 lower-case hex digits, not all zero
  std::string span_id;      // 16 of them: the caller's span
  bool sampled = false;     // whether the caller records it
  std::string trace_state;  // what other tracers have to say: passed on as it is
};

// None if `traceparent` is missing or malformed: the request then begins a trace of its own. A `tracestate`
// that is longer than 512 bytes or has other than printable ASCII is dropped.
std::optional<TraceContext> parse_trace_context(std::string_view traceparent, std::string_view tracestate);

}  // namespace quire
