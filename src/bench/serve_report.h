// What a load run amounts to: the figures of `vllm bench serve`, under its names, and normalized latency
// (Yu et al., Orca, OSDI 2022: end-to-end time over output tokens).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "bench/load_generator.h"

namespace quire {

// Bounds that a request must keep to count as good, in milliseconds; unset: none.
struct GoodputObjectives {
  std::optional<double> ttft_ms, tpot_ms, e2el_ms;
  bool any() const { return ttft_ms || tpot_ms || e2el_ms; }
};

// From "ttft:500", "tpot:50", "e2el:3000".
Expected<GoodputObjectives> parse_objectives(const std::vector<std::string>& words);

// One measured quantity over all completed requests (itl: over all gaps), in milliseconds.
struct LatencySummary {
  std::string_view key;    // "ttft": in JSON mean_ttft_ms, p99_ttft_ms, ...
  std::string_view title;  // "Time to first token"
  double mean = 0, median = 0, deviation = 0;
  std::vector<double> percentiles;  // by ServeReport::percents
};

struct ServeReport {
  int64_t completed = 0, failed = 0;
  int64_t total_input_tokens = 0, total_output_tokens = 0;
  double duration_s = 0;
  double request_throughput = 0;          // requests/s
  double output_throughput = 0;           // tokens/s
  double total_token_throughput = 0;      // tokens/s, prompts included
  std::optional<double> request_goodput;  // requests/s that meet every objective
  int32_t max_concurrent_requests = 0;
  std::optional<double> kv_waste_percent;
  std::vector<double> percents;
  std::vector<LatencySummary> latencies;    // ttft, tpot, itl, e2el, normalized_latency
  std::vector<std::string> error_messages;  // each kind once, at most 10
};

ServeReport summarize(const LoadResult& result, const GoodputObjectives& objectives,
                      const std::vector<double>& percents);

// The table that a person reads.
std::string to_text(const ServeReport& report);

// What the run was; written beside its figures.
struct RunDescription {
  std::string date;  // 20261121-134627
  std::string endpoint;
  std::string model;
  WorkloadSpec workload;
  int32_t max_concurrency = 0;
};

// The result file. `detailed`: with the records of every request as well.
std::string to_json(const ServeReport& report, const RunDescription& run, const LoadResult* detailed);

}  // namespace quire
