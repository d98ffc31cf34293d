#include "bench/paper_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/cost_model_json.h"
#include "server/json_writer.h"

namespace quire {
namespace {

constexpr AllocationPolicy kRivals[] = {AllocationPolicy::kReserveMax, AllocationPolicy::kReservePow2,
                                        AllocationPolicy::kReserveOracle};

std::string field_name(AllocationPolicy rival) {
  std::string name = fmt::format("rate_vs_{}", to_string(rival));
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string place(const CurveSet& set) {
  return fmt::format("{}, {}, {}, n = {}, at {:.0f} ms/token", set.workload, set.machine,
                     set.measured ? "measured" : "simulated", set.n, 1e3 * set.limit_s);
}

void write_point(const RatePoint& point, JsonWriter& json) {
  json.begin_object();
  json.field("rate", point.rate);
  json.field("normalized_latency_s", point.normalized_latency_s);
  json.field("p50_ttft_s", point.p50_ttft_s);
  json.field("p99_ttft_s", point.p99_ttft_s);
  json.field("p50_tpot_s", point.p50_tpot_s);
  json.field("p99_tpot_s", point.p99_tpot_s);
  json.field("goodput", point.goodput);
  json.field("num_running", point.num_running);
  json.field("waste_pct", 100 * point.waste);
  json.field("num_preemptions", point.num_preemptions);
  json.end_object();
}

void write_curves(const CurveSet& set, JsonWriter& json) {
  json.begin_object();
  json.field("machine", set.machine);
  json.field("workload", set.workload);
  json.field("measured", set.measured);
  json.field("n", set.n);
  json.field("limit_s", set.limit_s);
  json.key("curves");
  json.begin_array();
  for (const PolicyCurve& curve : set.curves) {
    json.begin_object();
    json.field("policy", to_string(curve.policy));
    json.field("sustained_rate", curve.sustained.rate);
    json.field("is_lower_bound", curve.sustained.is_lower_bound);
    json.key("points");
    json.begin_array();
    for (const RatePoint& point : curve.points) write_point(point, json);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_memory(const MemoryRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("machine", row.machine);
  json.field("workload", row.workload);
  json.field("policy", to_string(row.policy));
  json.field("rate", row.rate);
  json.field("tokens_pct", 100 * row.use.tokens);
  json.field("reserved_pct", 100 * row.use.reserved);
  json.field("internal_pct", 100 * row.use.internal);
  json.field("external_pct", 100 * row.use.external);
  json.field("waste_pct", 100 * row.waste);
  json.field("num_running", row.num_running);
  json.end_object();
}

void write_sharing(const SharingRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("machine", row.machine);
  json.field("workload", row.workload);
  json.field("method", row.method);
  json.field("width", row.width);
  json.field("rate", row.rate);
  json.field("saved_pct", 100 * row.saved);
  json.end_object();
}

void write_block_size(const BlockSizeRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("machine", row.machine);
  json.field("workload", row.workload);
  json.field("block_size", row.block_size);
  json.field("rate", row.rate);
  json.field("normalized_latency_s", row.normalized_latency_s);
  json.field("waste_pct", 100 * row.waste);
  json.end_object();
}

void write_cost(const CostFit& cost, JsonWriter& json) {
  json.begin_object();
  json.key("model");
  write_cost_model(cost.model, json);
  json.field("median_error", cost.median_error);
  json.field("p90_error", cost.p90_error);
  json.field("total_error", cost.total_error);
  json.end_object();
}

template <class Row>
void write_list(std::string_view name, const std::vector<Row>& rows, JsonWriter& json,
                void (*write)(const Row&, JsonWriter&)) {
  json.key(name);
  json.begin_array();
  for (const Row& row : rows) write(row, json);
  json.end_array();
}

}  // namespace

std::vector<Headline> headlines(const PaperResults& results) {
  std::vector<Headline> found;
  const auto is_paged = [](const MemoryRow& row) { return row.policy == AllocationPolicy::kPaged; };
  if (const auto row = std::ranges::find_if(results.memory, is_paged); row != results.memory.end()) {
    found.push_back(
        {"waste_pct", 100 * row->waste,
         fmt::format("{}, {}, blocks of 16, {:.2f} requests/s", row->workload, row->machine, row->rate)});
  }
  for (const AllocationPolicy rival : kRivals) {
    const CurveSet* set = results.comparison(rival);
    if (set != nullptr) found.push_back({field_name(rival), *set->rate_against(rival), place(*set)});
  }
  for (const SharingRow& row : results.sharing) {  // the first, which shares the least
    found.push_back({row.method + "_saved_pct", 100 * row.saved,
                     fmt::format("{}, {}, {} sequences a request, {:.2f} requests/s", row.workload,
                                 row.machine, row.width, row.rate)});
    break;
  }
  return found;
}

std::string to_json(const PaperResults& results) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  const std::vector<Headline> found = headlines(results);
  for (const Headline& headline : found) json.field(headline.name, headline.value);
  json.key("workloads");
  json.begin_object();
  for (const Headline& headline : found) json.field(headline.name, headline.workload);
  json.end_object();
  json.field("quick", results.quick);
  json.field("threads", results.num_threads);
  write_list("costs", results.costs, json, &write_cost);
  write_list("curves", results.curves, json, &write_curves);
  write_list("memory", results.memory, json, &write_memory);
  write_list("sharing", results.sharing, json, &write_sharing);
  write_list("block_sizes", results.block_sizes, json, &write_block_size);
  json.end_object();
  return text + "\n";
}

std::string to_table(const PaperResults& results) {
  std::string text;
  for (const Headline& headline : headlines(results)) {
    text += fmt::format("{:<24}{:>8.2f}   {}\n", headline.name, headline.value, headline.workload);
  }
  text += "\nSustained requests/s\n";
  for (const CurveSet& set : results.curves) {
    text += place(set) + "\n";
    for (const PolicyCurve& curve : set.curves) {
      const auto ratio = set.rate_against(curve.policy);
      text += fmt::format("  {:<16}{:>8}{:.3f}", to_string(curve.policy),
                          curve.sustained.is_lower_bound ? ">= " : "", curve.sustained.rate);
      text += ratio ? fmt::format("   paged is {:.2f}x\n", *ratio) : "\n";
    }
  }
  text += "\nKV memory while requests wait, % of the pool\n";
  text += fmt::format("{:<12}{:<16}{:>8}{:>10}{:>10}{:>10}{:>12}\n", "", "", "tokens", "reserved",
                      "internal", "external", "running");
  for (const MemoryRow& row : results.memory) {
    text += fmt::format("{:<12}{:<16}{:>8.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>12.1f}\n", row.workload,
                        to_string(row.policy), 100 * row.use.tokens, 100 * row.use.reserved,
                        100 * row.use.internal, 100 * row.use.external, row.num_running);
  }
  text += "\nBlocks saved by sharing\n";
  for (const SharingRow& row : results.sharing) {
    text += fmt::format("{:<12}{} {:<6}{:>8.1f}%\n", row.workload, row.method, row.width, 100 * row.saved);
  }
  for (const CostFit& cost : results.costs) {
    text += fmt::format("\nCost model of {}: {}", cost.model.name, cost.model.source);
    if (cost.p90_error > 0) {
      text += fmt::format("; off by {:.0f}% (median) and {:.0f}% (90th percentile) a step, {:.1f}% in all",
                          100 * cost.median_error, 100 * cost.p90_error, 100 * cost.total_error);
    }
  }
  return text + "\n";
}

}  // namespace quire
