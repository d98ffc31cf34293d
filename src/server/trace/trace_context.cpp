#include "server/trace/trace_context.h"

#include <algorithm>

namespace quire {
namespace {

constexpr size_t kMaxTraceState = 512;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_trace_context(std::string_view traceparent, std::string_view tracestate) {
  // version "-" trace-id "-" parent-id "-" flags; later versions may add more behind another "-".
  constexpr size_t kLength = 55;
  if (traceparent.size() < kLength) return std::nullopt;
  const std::string_view version = traceparent.substr(0, 2), trace_id = traceparent.substr(3, 32),
                         span_id = traceparent.substr(36, 16), flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return std::nullopt;
  if (!is_hex(version) || version == "ff" || !is_id(trace_id) || !is_id(span_id) || !is_hex(flags)) {
    return std::nullopt;
  }
  if (traceparent.size() > kLength && (version == "00" || traceparent[kLength] != '-')) return std::nullopt;
  const bool passes_on = tracestate.size() <= kMaxTraceState &&
                         std::ranges::all_of(tracestate, [](char c) { return c >= ' ' && c <= '~'; });
  const char low = flags[1];
  const int digit = low <= '9' ? low - '0' : low - 'a' + 10;
  return TraceContext{.trace_id = std::string(trace_id),
                      .span_id = std::string(span_id),
                      .sampled = (digit & 1) != 0,
                      .trace_state = passes_on ? std::string(tracestate) : std::string()};
}

}  // namespace quire
