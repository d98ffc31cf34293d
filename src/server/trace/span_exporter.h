// Sends spans to an OpenTelemetry collector, as OTLP over HTTP in JSON. Has a thread of its own: who adds
// spans never waits for the network, and where the collector is slow or away spans are dropped and counted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "server/http/target_lookup.h"
#include "server/trace/otlp_endpoint.h"
#include "server/trace/span.h"

namespace quire {

struct SpanExporterOptions {
  TargetLookup::Resolve resolve = {};         // in place of asking the system where the collector is
  std::chrono::milliseconds end_limit{2000};  // for all that waits when the exporter ends
};

class SpanExporter {
 public:
  static constexpr size_t kMaxWaiting = 4096;  // spans; what comes beyond is dropped
  static constexpr size_t kBatch = 512;        // spans in a request

  // Starts the thread. `metrics` outlives the exporter.
  SpanExporter(OtlpEndpoint endpoint, std::string service_name, MetricsRegistry& metrics,
               SpanExporterOptions options = {});
  // Sends what waits until `end_limit` has passed, whatever the network or a name server does, drops the
  // rest, and joins the thread.
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  // Any thread. All of them or, where they do not fit, none.
  void add(std::vector<TraceSpan> spans);

 private:
  enum class Sent : uint8_t { kYes, kNotNow, kNever };
  using Time = std::chrono::steady_clock::time_point;

  void run();
  bool send(const std::vector<TraceSpan>& batch);
  Sent try_to_send(const std::string& body);
  Expected<HttpTarget> find_collector(Time start);
  std::chrono::milliseconds left(Time start);
  bool pause(int64_t ms);

  const OtlpEndpoint endpoint_;
  const std::string service_name_;
  const std::string instance_id_;
  const std::chrono::milliseconds end_limit_;
  TargetLookup lookup_;
  Counter& exported_;
  Counter& dropped_;
  std::string last_error_;  // of try_to_send
  bool reported_ = false;   // the loss of spans, since the last batch that arrived
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TraceSpan> waiting_;
  bool full_reported_ = false;
  bool stopping_ = false;
  Time end_;  // where stopping_: when nothing more is sent
  std::thread thread_;
};

}  // namespace quire
