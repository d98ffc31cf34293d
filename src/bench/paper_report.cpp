#include "bench/paper_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/cost_model_json.h"
#include "server/json/json_writer.h"

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
  return fmt::format("{}, {}, {}, {}, at {:.0f} ms/token", set.workload, set.machine,
                     set.measured ? "measured" : "simulated", set.decoding(), 1e3 * set.limit_s);
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
  json.field("beams", set.beams);
  json.field("limit_s", set.limit_s);
  json.key("curves");
  json.begin_array();
  for (const PolicyCurve& curve : set.curves) {
    json.begin_object();
    json.field("policy", to_string(curve.policy));
    json.field("prefix_cache", curve.prefix_cache);
    json.field("name", curve.name());
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
  json.field("measured", row.measured);
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
  json.field("measured", row.measured);
  json.field("block_size", row.block_size);
  json.field("rate", row.rate);
  json.field("normalized_latency_s", row.normalized_latency_s);
  json.field("waste_pct", 100 * row.waste);
  json.end_object();
}

void write_prefix_speedup(const PrefixSpeedup& speedup, JsonWriter& json) {
  json.key("prefix_cache");
  json.begin_object();
  json.field("machine", speedup.machine);
  json.field("workload", speedup.workload);
  json.field("rate_on", speedup.rate_on);
  json.field("rate_off", speedup.rate_off);
  json.end_object();
}

void write_recovery(const RecoveryRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("machine", row.machine);
  json.field("block_size", row.block_size);
  json.field("num_tokens", row.num_tokens);
  json.field("recompute_s", row.recompute_s);
  json.field("swap_out_s", row.swap_out_s);
  json.field("swap_in_s", row.swap_in_s);
  json.end_object();
}

void write_preemption(const PreemptionRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("machine", row.machine);
  json.field("workload", row.workload);
  json.field("block_size", row.block_size);
  json.field("recovery", row.swaps ? "swap" : "recompute");
  json.field("elapsed_s", row.elapsed_s);
  json.field("normalized_latency_s", row.normalized_latency_s);
  json.field("num_preemptions", row.num_preemptions);
  json.end_object();
}

void write_attention(const AttentionRow& row, JsonWriter& json) {
  json.begin_object();
  json.field("num_sequences", row.num_sequences);
  json.field("context_len", row.context_len);
  json.field("block_size", row.block_size);
  json.field("paged_s", row.paged_s);
  json.field("contiguous_s", row.contiguous_s);
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

std::string block_size_table(const PaperResults& results) {
  std::string text = "\nBlock sizes: normalized latency, and waste of the slots taken\n";
  for (const BlockSizeRow& row : results.block_sizes) {
    text += fmt::format("{:<14}{:<12}{:>4}{:>12.1f} ms/token{:>8.1f}%\n", row.workload,
                        row.measured ? "measured" : "simulated", row.block_size,
                        1e3 * row.normalized_latency_s, 100 * row.waste);
  }
  return text;
}

std::string recovery_table(const PaperResults& results) {
  std::string text = "\nA preempted sequence computed anew, or swapped out and in\n";
  for (const RecoveryRow& row : results.recovery) {
    text += fmt::format("{}, {} tokens in blocks of {}: {:.2f} ms, or {:.2f} + {:.2f} ms\n", row.machine,
                        row.num_tokens, row.block_size, 1e3 * row.recompute_s, 1e3 * row.swap_out_s,
                        1e3 * row.swap_in_s);
  }
  for (const PreemptionRow& row : results.preemption) {
    text += fmt::format("{}, {}, blocks of {}: {} preemptions by {} in {:.1f} s, {:.4f} s/token\n",
                        row.machine, row.workload, row.block_size, row.num_preemptions,
                        row.swaps ? "swap" : "recompute", row.elapsed_s, row.normalized_latency_s);
  }
  return text;
}

std::string attention_table(const PaperResults& results) {
  if (results.attention.empty()) return "";
  std::string text = "\nAttention of a layer, paged and in one range\n";
  for (const AttentionRow& row : results.attention) {
    text += fmt::format("{:>3} of {:>5} tokens, blocks of {}: {:>9.1f} us and {:>9.1f} us, {:+.1f}%\n",
                        row.num_sequences, row.context_len, row.block_size, 1e6 * row.paged_s,
                        1e6 * row.contiguous_s, 100 * (row.paged_s / row.contiguous_s - 1));
  }
  return text;
}

// The first of each method, which shares the least.
void add_saved(const PaperResults& results, std::vector<Headline>& found) {
  for (const std::string_view method : {"parallel", "beam"}) {
    const auto row = std::ranges::find(results.sharing, method, &SharingRow::method);
    if (row == results.sharing.end()) continue;
    found.push_back({row->method + "_saved_pct", 100 * row->saved,
                     fmt::format("{}, {}, {} sequences a request, {:.2f} requests/s", row->workload,
                                 row->machine, row->width, row->rate)});
  }
}

// Measured; where nothing is, simulated with the longest prefix.
void add_prefix_speedup(const PaperResults& results, std::vector<Headline>& found) {
  constexpr const char* kName = "shared_prefix_speedup";
  if (const auto& measured = results.prefix_speedup) {
    found.push_back({kName, measured->rate_on / measured->rate_off,
                     fmt::format("{}, {}, measured", measured->workload, measured->machine)});
    return;
  }
  const CurveSet* longest = nullptr;
  for (const CurveSet& set : results.curves) {
    if (set.prefix_cache_speedup() && set.workload.contains("prefix")) longest = &set;
  }
  if (longest != nullptr) found.push_back({kName, *longest->prefix_cache_speedup(), place(*longest)});
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
  add_saved(results, found);
  add_prefix_speedup(results, found);
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
  if (results.prefix_speedup) write_prefix_speedup(*results.prefix_speedup, json);
  write_list("recovery", results.recovery, json, &write_recovery);
  write_list("preemption", results.preemption, json, &write_preemption);
  write_list("attention", results.attention, json, &write_attention);
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
      const auto ratio = curve.prefix_cache ? std::nullopt : set.rate_against(curve.policy);
      text += fmt::format("  {:<20}{:>8}{:.3f}", curve.name(), curve.sustained.is_lower_bound ? ">= " : "",
                          curve.sustained.rate);
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
    text += fmt::format("{:<14}{:<12}{:<10}{:<4}{:>8.1f}%\n", row.workload,
                        row.measured ? "measured" : "simulated", row.method, row.width, 100 * row.saved);
  }
  text += block_size_table(results) + recovery_table(results) + attention_table(results);
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
