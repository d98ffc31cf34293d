#include "server/trace/request_tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/trace/span_exporter.h"
#include "server/trace/trace_context.h"

namespace quire {
namespace {

// What is added to the clock's times to make them those of the wall.
int64_t wall_offset_ns(const Clock& clock) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count() - clock.now_ns();
}

std::string_view operation_name(std::string_view path) {
  const bool chats = path == "/v1/chat/completions" || path == "/v1/responses" || path == "/v1/messages";
  return chats ? "chat" : "text_completion";
}

void add_http_attributes(TraceSpan& span, const TracedRequest& request) {
  auto& attributes = span.attributes;
  attributes.emplace_back("http.request.method", "POST");
  attributes.emplace_back("url.scheme", request.is_https ? "https" : "http");
  if (request.is_known_path) {
    attributes.emplace_back("url.path", request.head.path);
    attributes.emplace_back("http.route", request.head.path);
  }
  attributes.emplace_back("http.response.status_code", int64_t{request.status});
  attributes.emplace_back("client.address", std::string(request.peer.substr(0, request.peer.rfind(':'))));
  if (request.failed) {
    attributes.emplace_back("error.type", "stream_failed");
  } else if (request.status >= 400) {
    attributes.emplace_back("error.type", fmt::format("{}", request.status));
  }
}

void add_embedding_attributes(TraceSpan& span, const GenerationTrace& embedding) {
  auto& attributes = span.attributes;
  attributes.emplace_back("gen_ai.operation.name", "embeddings");
  attributes.emplace_back("gen_ai.provider.name", "quire");
  attributes.emplace_back("gen_ai.request.model", embedding.model);
  attributes.emplace_back("gen_ai.response.model", embedding.model);
  attributes.emplace_back("gen_ai.embeddings.dimension.count", embedding.embedding_width);
  attributes.emplace_back("gen_ai.usage.input_tokens", embedding.input_tokens);
  attributes.emplace_back("gen_ai.usage.cache_read.input_tokens", embedding.cached_tokens);
}

void add_generation_attributes(TraceSpan& span, std::string_view path, const GenerationTrace& generation) {
  if (generation.embedding_width > 0) return add_embedding_attributes(span, generation);
  auto& attributes = span.attributes;
  attributes.emplace_back("gen_ai.operation.name", std::string(operation_name(path)));
  attributes.emplace_back("gen_ai.provider.name", "quire");
  attributes.emplace_back("gen_ai.request.model", generation.model);
  attributes.emplace_back("gen_ai.request.choice.count", generation.num_choices);
  attributes.emplace_back("gen_ai.request.max_tokens", generation.max_tokens);
  attributes.emplace_back("gen_ai.request.temperature", generation.temperature);
  attributes.emplace_back("gen_ai.request.top_p", generation.top_p);
  if (generation.top_k > 0) attributes.emplace_back("gen_ai.request.top_k", generation.top_k);
  attributes.emplace_back("gen_ai.request.frequency_penalty", generation.frequency_penalty);
  attributes.emplace_back("gen_ai.request.presence_penalty", generation.presence_penalty);
  if (generation.seed) attributes.emplace_back("gen_ai.request.seed", *generation.seed);
  attributes.emplace_back("gen_ai.response.id", generation.response_id);
  attributes.emplace_back("gen_ai.response.model", generation.model);
  attributes.emplace_back("gen_ai.response.finish_reasons", generation.finish_reasons);
  attributes.emplace_back("gen_ai.usage.input_tokens", generation.input_tokens);
  attributes.emplace_back("gen_ai.usage.cache_read.input_tokens", generation.cached_tokens);
  attributes.emplace_back("gen_ai.usage.output_tokens", generation.output_tokens);
}

}  // namespace

RequestTracer::RequestTracer(SpanExporter& exporter, const Clock& clock)
    : exporter_(exporter), clock_(clock) {}

void RequestTracer::record(const TracedRequest& request) {
  if (auto made = spans(request); !made.empty()) exporter_.add(std::move(made));
}

std::vector<TraceSpan> RequestTracer::spans(const TracedRequest& request) {
  if (request.head.method != HttpMethod::kPost) return {};
  const auto parent = parse_trace_context(request.head.traceparent, request.head.tracestate);
  if (parent && !parent->sampled) return {};
  const int64_t offset_ns = wall_offset_ns(clock_);

  std::vector<TraceSpan> made(1);
  TraceSpan& server = made.front();
  server.trace_id = parent ? parent->trace_id : ids_.next();
  server.span_id = new_span_id();
  if (parent) {
    server.parent_span_id = parent->span_id;
    server.trace_state = parent->trace_state;
  }
  server.name = request.is_known_path ? "POST " + request.head.path : "POST";
  server.is_server = true;
  server.start_unix_ns = (request.start_ns != 0 ? request.start_ns : request.end_ns) + offset_ns;
  server.end_unix_ns = request.end_ns + offset_ns;
  server.failed = request.failed || request.status >= 500;
  add_http_attributes(server, request);
  if (!request.generation) return made;
  add_generation_attributes(server, request.head.path, *request.generation);

  const GenerationTimes& times = request.generation->times;
  const auto add_part = [&](const char* name, int64_t start_ns, int64_t end_ns) {
    if (start_ns == 0 || end_ns == 0) return;
    TraceSpan part{.trace_id = made.front().trace_id,
                   .span_id = new_span_id(),
                   .parent_span_id = made.front().span_id,
                   .trace_state = made.front().trace_state,
                   .name = name,
                   .start_unix_ns = start_ns + offset_ns,
                   .end_unix_ns = std::max(start_ns, end_ns) + offset_ns,
                   .attributes = {}};
    made.push_back(std::move(part));
  };
  add_part("queue", times.submitted_ns, times.first_scheduled_ns);
  add_part("prefill", times.first_scheduled_ns, times.first_token_ns);
  add_part("decode", times.first_token_ns, times.last_token_ns);
  return made;
}

}  // namespace quire
