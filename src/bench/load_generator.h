// Sends a workload to an OpenAI completions server over HTTP and measures what each client sees. Any server
// that streams /v1/completions will do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bench/workload.h"

namespace quire {

struct LoadOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;
  std::string endpoint = "/v1/completions";
  std::string model;  // empty: the first that /v1/models names
  std::string api_key;
  bool ignore_eos = false;
  double temperature = 0;
  std::string extra_body;          // a JSON object: members to add or replace in every request; or empty
  int32_t max_concurrency = 0;     // most requests under way at once; 0: no bound
  double scrape_interval_s = 0.2;  // how often the KV gauges of /metrics are read; 0: never
};

// What one client saw. Times are in seconds, from the moment the request was sent.
struct RequestRecord {
  bool ok = false;
  std::string error;
  double sent_s = 0;          // after the start of the run
  double ttft_s = 0;          // to the first token
  double e2el_s = 0;          // to the last
  std::vector<double> itl_s;  // gaps between chunks
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

struct LoadResult {
  std::string model;
  std::vector<RequestRecord> records;  // in the order of the workload
  double duration_s = 0;               // to the last answer's end
  int32_t peak_concurrency = 0;
  // Share of the token slots in taken KV blocks that held no token, over the run, where the server has the
  // gauges quire:kv_slots_allocated and quire:kv_slots_filled.
  std::optional<double> kv_waste;
};

struct LoadProgress {
  size_t finished = 0;
  size_t total = 0;
  double elapsed_s = 0;
};

// Runs on the calling thread until every request has ended. An error only when nothing can be measured: the
// host does not resolve, /v1/models does not answer, extra_body is no object. A failed request is a record.
Expected<LoadResult> run_load(const LoadOptions& options, std::span<const WorkItem> workload,
                              const Clock& clock, std::function<void(const LoadProgress&)> on_progress);

// The JSON body that asks for `item`. `options.extra_body` must be empty or an object; its members replace
// those of the same name.
std::string completion_body(const LoadOptions& options, const std::string& model, const WorkItem& item);

// The value of the first sample named `name` in Prometheus' text format.
std::optional<double> metric_value(std::string_view exposition, std::string_view name);

}  // namespace quire
