#include "server/engine_view_json.h"

#include <algorithm>
#include <functional>

#include "server/json/json_writer.h"

namespace quire {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int32_t kMost = 63;

std::string_view name_of(SequencePhase phase) {
  switch (phase) {
    case SequencePhase::kPrefill: return "prefill";
    case SequencePhase::kDecode: return "decode";
    case SequencePhase::kReturn: return "returning";
  }
  return {};
}

// In whole microseconds: more digits say nothing.
double milliseconds(int64_t ns) { return static_cast<double>(ns / 1000) * 1e-3; }

void write_since(JsonWriter& json, std::string_view name, int64_t from_ns, int64_t to_ns) {
  if (from_ns == kNotYet || to_ns == kNotYet) return json.null_field(name);
  json.field(name, milliseconds(to_ns - from_ns));
}

// One digit for each cell of counts up to `most`. Those too large for a digit are scaled to it, and none
// that is not 0 becomes 0.
template <typename Cells, typename CountOf>
void write_cells(JsonWriter& json, std::string_view name, const Cells& cells, int32_t most,
                 CountOf count_of) {
  std::string digits;
  digits.reserve(cells.size());
  for (const auto& cell : cells) {
    const int32_t value = std::invoke(count_of, cell);
    const int32_t scaled = most <= kMost ? value : (value * kMost + most - 1) / most;
    digits += kDigits[static_cast<size_t>(std::min(scaled, kMost))];
  }
  json.field(name, digits);
}

void write_ids(JsonWriter& json, std::string_view name, const std::vector<int32_t>& entries, int32_t first,
               int32_t count) {
  json.key(name);
  json.begin_array();
  for (int32_t i = first; i < first + count; ++i) json.integer(entries[static_cast<size_t>(i)]);
  json.end_array();
}

void write_blocks(JsonWriter& json, const ServedModel& model, const EngineView& view) {
  const EngineStats& stats = view.stats;
  json.key("blocks");
  json.begin_object();
  json.field("size", model.engine.options().block_size);
  json.field("total", stats.num_blocks);
  json.field("used", stats.num_blocks - stats.num_free_blocks);
  json.field("cached", stats.num_cached_blocks);
  json.field("pinned", stats.num_pinned_blocks);
  json.field("evicted", stats.num_evictions);
  json.field("table_entries", stats.num_table_entries);
  json.field("slots_filled", stats.kv_slots_filled);
  json.field("touched", view.num_touched_blocks);
  json.field("per_cell", view.blocks_per_cell);
  write_cells(json, "held", view.cells, view.blocks_per_cell, &BlockCell::num_held);
  write_cells(json, "kept", view.cells, view.blocks_per_cell, &BlockCell::num_kept);
  write_cells(json, "holders", view.cells, 1, &BlockCell::most_holders);
  json.end_object();
}

void write_swap(JsonWriter& json, const EngineView& view) {
  json.key("swap");
  json.begin_object();
  json.field("total", view.stats.num_swap_slots);
  json.field("used", view.stats.num_swap_slots - view.stats.num_free_swap_slots);
  json.field("touched", view.num_touched_swap_slots);
  json.field("per_cell", view.swap_slots_per_cell);
  write_cells(json, "held", view.swap_cells, view.swap_slots_per_cell, std::identity());
  json.key("tables");
  json.begin_array();
  for (const ViewedSwappedTable& table : view.swapped) {
    json.begin_object();
    json.field("request", table.request);
    json.field("index", table.index);
    json.field("num_slots", table.num_slots);
    write_ids(json, "slots", view.swap_entries, table.first_entry, table.num_entries);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_sequence(JsonWriter& json, const EngineView& view, const ViewedSequence& sequence) {
  json.begin_object();
  json.field("request", sequence.request);
  json.field("index", sequence.index);
  json.field("state", name_of(sequence.phase));
  json.field("prompt_tokens", sequence.num_prompt_tokens);
  json.field("output_tokens", sequence.num_output_tokens);
  json.field("computed_tokens", sequence.num_computed);
  json.field("cached_tokens", sequence.num_cached_tokens);
  json.field("preemptions", sequence.num_preemptions);
  write_since(json, "age_ms", sequence.arrival_ns, view.now_ns);
  write_since(json, "ttft_ms", sequence.arrival_ns, sequence.first_token_ns);
  const bool paced = sequence.num_output_tokens > 1 && sequence.last_token_ns != kNotYet;
  if (paced) {
    json.field("tpot_ms", milliseconds((sequence.last_token_ns - sequence.first_token_ns) /
                                       (sequence.num_output_tokens - 1)));
  } else {
    json.null_field("tpot_ms");
  }
  json.field("num_blocks", sequence.num_blocks);
  write_ids(json, "blocks", view.table_entries, sequence.first_entry, sequence.num_entries);
  json.end_object();
}

void write_waiting(JsonWriter& json, const EngineView& view, const ViewedRequest& waiting) {
  json.begin_object();
  json.field("request", waiting.request);
  json.field("state", waiting.swapped ? "swapped" : "waiting");
  json.field("sequences", waiting.num_sequences);
  json.field("prompt_tokens", waiting.num_prompt_tokens);
  json.field("output_tokens", waiting.num_output_tokens);
  json.field("preemptions", waiting.num_preemptions);
  write_since(json, "age_ms", waiting.arrival_ns, view.now_ns);
  json.end_object();
}

void write_requests(JsonWriter& json, const EngineView& view) {
  json.key("requests");
  json.begin_object();
  json.field("running", view.stats.num_running);
  json.field("waiting", view.stats.num_waiting);
  json.field("swapped", view.stats.num_swapped);
  json.field("queued", view.num_queued);
  json.field("sequences", view.num_sequences);
  json.end_object();
  json.key("sequences");
  json.begin_array();
  for (const ViewedSequence& sequence : view.sequences) write_sequence(json, view, sequence);
  json.end_array();
  json.key("waiting");
  json.begin_array();
  for (const ViewedRequest& waiting : view.waiting) write_waiting(json, view, waiting);
  json.end_array();
}

void write_steps(JsonWriter& json, const EngineView& view, int64_t last_step) {
  json.key("steps");
  json.begin_array();
  for (const LoggedStep& step : view.steps) {
    if (step.number <= last_step) continue;
    json.begin_object();
    json.field("number", step.number);
    json.field("end_ms", milliseconds(step.end_ns));
    json.field("ms", milliseconds(step.end_ns - step.start_ns));
    json.field("decodes", step.num_decodes);
    json.field("prefill_tokens", step.num_prefill_tokens);
    json.end_object();
  }
  json.end_array();
}

void write_totals(JsonWriter& json, const EngineView& view) {
  json.key("totals");
  json.begin_object();
  json.field("steps", view.stats.num_steps);
  json.field("prompt_tokens", view.totals.prompt_tokens);
  json.field("generation_tokens", view.totals.generation_tokens);
  json.field("preemptions", view.stats.num_preemptions);
  json.field("prefix_queries", view.stats.num_tokens_queried);
  json.field("prefix_hits", view.stats.num_tokens_found);
  json.field("ttft_seconds_sum", view.totals.first_token_sum);
  json.field("ttft_count", view.totals.num_first_tokens);
  json.field("tpot_seconds_sum", view.totals.token_gap_sum);
  json.field("tpot_count", view.totals.num_token_gaps);
  json.end_object();
}

}  // namespace

std::string engine_view_json(const ServedModel& model, const EngineView& view, int64_t last_step) {
  const LLMEngineOptions& options = model.engine.options();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("object", "engine.view");
  json.field("model", model.names.front());
  json.field("time_ms", milliseconds(view.now_ns));
  json.key("limits");
  json.begin_object();
  json.field("max_num_seqs", options.max_num_seqs);
  json.field("max_num_batched_tokens", options.max_num_batched_tokens);
  json.field("max_model_len", options.max_model_len);
  json.end_object();
  write_blocks(json, model, view);
  write_swap(json, view);
  write_requests(json, view);
  write_steps(json, view, last_step);
  write_totals(json, view);
  json.end_object();
  return out;
}

}  // namespace quire
