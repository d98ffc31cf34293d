#include "bench/serve_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "bench/statistics.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

constexpr size_t kMaxErrorMessages = 10;

double tpot_s(const RequestRecord& record) {
  return (record.e2el_s - record.ttft_s) /
         static_cast<double>(std::max<int64_t>(1, record.output_tokens - 1));
}

bool is_good(const RequestRecord& record, const GoodputObjectives& objectives) {
  const auto meets = [](const std::optional<double>& bound_ms, double seconds) {
    return !bound_ms || seconds * 1e3 <= *bound_ms;
  };
  return meets(objectives.ttft_ms, record.ttft_s) && meets(objectives.tpot_ms, tpot_s(record)) &&
         meets(objectives.e2el_ms, record.e2el_s);
}

LatencySummary summarize_latency(std::string_view key, std::string_view title, std::vector<double> seconds,
                                 const std::vector<double>& percents) {
  for (double& sample : seconds) sample *= 1e3;
  return {.key = key,
          .title = title,
          .mean = mean(seconds),
          .median = percentile(seconds, 50),
          .deviation = standard_deviation(seconds),
          .percentiles = percentiles(seconds, percents)};
}

// "p99", "p99.9".
std::string percent_name(double percent) { return fmt::format("p{}", percent); }

}  // namespace

Expected<GoodputObjectives> parse_objectives(const std::vector<std::string>& words) {
  GoodputObjectives objectives;
  for (const std::string& word : words) {
    const size_t colon = word.find(':');
    const std::string name = word.substr(0, colon);
    const std::string number = colon == std::string::npos ? "" : word.substr(colon + 1);
    double bound_ms = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bound_ms);
    const bool is_number = error == std::errc{} && end == number.data() + number.size() && bound_ms > 0;
    std::optional<double>* objective = name == "ttft"   ? &objectives.ttft_ms
                                       : name == "tpot" ? &objectives.tpot_ms
                                       : name == "e2el" ? &objectives.e2el_ms
                                                        : nullptr;
    if (!objective || !is_number) {
      return fail_param("goodput", "'{}' is no objective: write ttft:MS, tpot:MS or e2el:MS", word);
    }
    *objective = bound_ms;
  }
  return objectives;
}

ServeReport summarize(const LoadResult& result, const GoodputObjectives& objectives,
                      const std::vector<double>& percents) {
  ServeReport report;
  std::vector<double> ttft, tpot, itl, e2el, normalized;
  int64_t good = 0;
  for (const RequestRecord& record : result.records) {
    if (!record.ok) {
      ++report.failed;
      auto& messages = report.error_messages;
      const bool known = std::find(messages.begin(), messages.end(), record.error) != messages.end();
      if (!known && messages.size() < kMaxErrorMessages) messages.push_back(record.error);
      continue;
    }
    ++report.completed;
    report.total_input_tokens += record.input_tokens;
    report.total_output_tokens += record.output_tokens;
    ttft.push_back(record.ttft_s);
    if (record.output_tokens > 1) tpot.push_back(tpot_s(record));
    itl.insert(itl.end(), record.itl_s.begin(), record.itl_s.end());
    e2el.push_back(record.e2el_s);
    normalized.push_back(record.e2el_s / static_cast<double>(std::max<int64_t>(1, record.output_tokens)));
    good += is_good(record, objectives);
  }
  const double duration_s = std::max(result.duration_s, 1e-9);
  report.duration_s = result.duration_s;
  report.request_throughput = static_cast<double>(report.completed) / duration_s;
  report.output_throughput = static_cast<double>(report.total_output_tokens) / duration_s;
  report.total_token_throughput =
      static_cast<double>(report.total_input_tokens + report.total_output_tokens) / duration_s;
  if (objectives.any()) report.request_goodput = static_cast<double>(good) / duration_s;
  report.max_concurrent_requests = result.peak_concurrency;
  if (result.kv_waste) report.kv_waste_percent = *result.kv_waste * 100;
  report.percents = percents;
  report.latencies = {
      summarize_latency("ttft", "Time to first token", std::move(ttft), percents),
      summarize_latency("tpot", "Time per output token", std::move(tpot), percents),
      summarize_latency("itl", "Inter-token latency", std::move(itl), percents),
      summarize_latency("e2el", "End-to-end latency", std::move(e2el), percents),
      summarize_latency("normalized_latency", "Normalized latency", std::move(normalized), percents)};
  return report;
}

std::string to_text(const ServeReport& report) {
  std::string text;
  const auto line = [&](std::string_view name, double value, int digits, std::string_view unit) {
    fmt::format_to(std::back_inserter(text), "{:<28}{:>12.{}f} {}\n", name, value, digits, unit);
  };
  line("Completed requests", static_cast<double>(report.completed), 0, "");
  line("Failed requests", static_cast<double>(report.failed), 0, "");
  line("Duration", report.duration_s, 2, "s");
  line("Prompt tokens", static_cast<double>(report.total_input_tokens), 0, "");
  line("Output tokens", static_cast<double>(report.total_output_tokens), 0, "");
  line("Request throughput", report.request_throughput, 2, "requests/s");
  if (report.request_goodput) line("Request goodput", *report.request_goodput, 2, "requests/s");
  line("Output throughput", report.output_throughput, 2, "tokens/s");
  line("Total token throughput", report.total_token_throughput, 2, "tokens/s");
  line("Peak concurrent requests", report.max_concurrent_requests, 0, "");
  if (report.kv_waste_percent) line("KV slots without a token", *report.kv_waste_percent, 2, "%");
  fmt::format_to(std::back_inserter(text), "\n{:<28}{:>12}{:>12}", "Milliseconds", "mean", "median");
  for (const double percent : report.percents) text += fmt::format("{:>12}", percent_name(percent));
  text += '\n';
  for (const LatencySummary& latency : report.latencies) {
    text += fmt::format("{:<28}{:>12.2f}{:>12.2f}", latency.title, latency.mean, latency.median);
    for (const double value : latency.percentiles) text += fmt::format("{:>12.2f}", value);
    text += '\n';
  }
  for (const std::string& message : report.error_messages) text += fmt::format("failed: {}\n", message);
  return text;
}

namespace {

void write_latency(JsonWriter& json, const LatencySummary& latency, const std::vector<double>& percents) {
  json.field(fmt::format("mean_{}_ms", latency.key), latency.mean);
  json.field(fmt::format("median_{}_ms", latency.key), latency.median);
  json.field(fmt::format("std_{}_ms", latency.key), latency.deviation);
  for (size_t i = 0; i < percents.size(); ++i) {
    json.field(fmt::format("{}_{}_ms", percent_name(percents[i]), latency.key), latency.percentiles[i]);
  }
}

// One array over all requests: `write` writes the value of one.
template <class Write>
void write_column(JsonWriter& json, std::string_view key, const std::vector<RequestRecord>& records,
                  Write write) {
  json.key(key);
  json.begin_array();
  for (const RequestRecord& record : records) write(record);
  json.end_array();
}

void write_records(JsonWriter& json, const std::vector<RequestRecord>& records) {
  write_column(json, "input_lens", records, [&](const RequestRecord& r) { json.integer(r.input_tokens); });
  write_column(json, "output_lens", records,
               [&](const RequestRecord& r) { json.integer(r.output_tokens); });
  write_column(json, "ttfts", records, [&](const RequestRecord& r) { json.number(r.ttft_s); });
  write_column(json, "e2els", records, [&](const RequestRecord& r) { json.number(r.e2el_s); });
  write_column(json, "itls", records, [&](const RequestRecord& r) {
    json.begin_array();
    for (const double gap_s : r.itl_s) json.number(gap_s);
    json.end_array();
  });
  write_column(json, "errors", records, [&](const RequestRecord& r) { json.string(r.error); });
}

}  // namespace

std::string to_json(const ServeReport& report, const RunDescription& run, const LoadResult* detailed) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("date", run.date);
  json.field("endpoint", run.endpoint);
  json.field("model_id", run.model);
  json.field("num_prompts", run.workload.num_prompts);
  if (std::isinf(run.workload.request_rate)) {
    json.field("request_rate", "inf");
  } else {
    json.field("request_rate", run.workload.request_rate);
  }
  json.field("burstiness", run.workload.burstiness);
  json.field("seed", run.workload.seed);
  if (run.max_concurrency > 0) json.field("max_concurrency", run.max_concurrency);
  json.field("duration", report.duration_s);
  json.field("completed", report.completed);
  json.field("failed", report.failed);
  json.field("total_input_tokens", report.total_input_tokens);
  json.field("total_output_tokens", report.total_output_tokens);
  json.field("request_throughput", report.request_throughput);
  if (report.request_goodput) json.field("request_goodput", *report.request_goodput);
  json.field("output_throughput", report.output_throughput);
  json.field("total_token_throughput", report.total_token_throughput);
  json.field("max_concurrent_requests", report.max_concurrent_requests);
  if (report.kv_waste_percent) json.field("kv_waste_percent", *report.kv_waste_percent);
  for (const LatencySummary& latency : report.latencies) write_latency(json, latency, report.percents);
  if (detailed) write_records(json, detailed->records);
  json.end_object();
  return text + "\n";
}

}  // namespace quire
