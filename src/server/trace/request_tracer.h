// Makes spans of requests that have ended, named by OpenTelemetry's conventions for HTTP servers and for
// generative AI (https://opentelemetry.io/docs/specs/semconv/): the request, and within it the times in the
// queue, of prefill and of decoding. Nothing of prompts, answers and keys is in them. Safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/http/http_message.h"
#include "server/id_source.h"
#include "server/trace/generation_trace.h"
#include "server/trace/span.h"

namespace quire {

class SpanExporter;

// A request and its end. References are valid during the call.
struct TracedRequest {
  const RequestHead& head;
  std::string_view peer;  // "address:port"
  int status = 0;         // as the log has it: 499 if the client left
  bool failed = false;    // after the answer had begun
  bool is_known_path = false;
  bool is_https = false;
  int64_t start_ns = 0;  // of the server's clock; 0: it was over before its header was read
  int64_t end_ns = 0;
  const std::optional<GenerationTrace>& generation;
};

class RequestTracer {
 public:
  // `exporter` and `clock` outlive it; `clock` is also the engine's.
  RequestTracer(SpanExporter& exporter, const Clock& clock);

  // Only POSTs are traced, and none whose client says that it is not.
  void record(const TracedRequest& request);

  // What record() hands on: the request first. Empty if it is not to be traced.
  std::vector<TraceSpan> spans(const TracedRequest& request);

 private:
  std::string new_span_id() const { return ids_.next().substr(0, 16); }

  SpanExporter& exporter_;
  const Clock& clock_;
  const IdSource ids_;
};

}  // namespace quire
