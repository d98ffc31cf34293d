#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/machine.h"
#include "bench/local_bench.h"
#include "cli/commands.h"
#include "cli/model_flags.h"
#include "cli/workload_flags.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

struct ThroughputFlags {
  ModelFlags model;
  WorkloadFlags workload;
  std::string json;
};

std::string to_json(const ThroughputTiming& timing, int32_t num_prompts) {
  std::string text;
  JsonWriter json(text);
  const int64_t total = timing.input_tokens + timing.output_tokens;
  json.begin_object();
  json.field("elapsed_time", timing.elapsed_s);
  json.field("num_requests", num_prompts);
  json.field("total_num_tokens", total);
  json.field("requests_per_second", num_prompts / timing.elapsed_s);
  json.field("tokens_per_second", static_cast<double>(total) / timing.elapsed_s);
  json.field("output_tokens_per_second", static_cast<double>(timing.output_tokens) / timing.elapsed_s);
  json.field("peak_memory_bytes", peak_resident_bytes());
  json.end_object();
  return text + "\n";
}

Expected<> bench_throughput(ThroughputFlags flags) {
  flags.model.engine.max_queue = std::max(flags.model.engine.max_queue, flags.workload.num_prompts);
  flags.model.engine.max_queue_ms = 0;
  const auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  const auto spec = to_workload_spec(flags.workload, (*local)->handle.model.vocab_size);
  if (!spec) return std::unexpected(spec.error());
  const auto timing = time_workload(*(*local)->handle.engine, make_workload(*spec), (*local)->clock);
  if (!timing) return std::unexpected(timing.error());
  if (flags.json != "-") {
    const double seconds = timing->elapsed_s;
    fmt::print(
        "{} requests in {:.2f} s: {:.2f} requests/s, {:.1f} output tokens/s, {:.1f} tokens/s in all\n",
        spec->num_prompts, seconds, spec->num_prompts / seconds,
        static_cast<double>(timing->output_tokens) / seconds,
        static_cast<double>(timing->input_tokens + timing->output_tokens) / seconds);
  }
  return flags.json.empty() ? Expected<>{} : write_result(flags.json, to_json(*timing, spec->num_prompts));
}

}  // namespace

void add_bench_throughput(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("throughput", "time many requests given all at once, in process");
  auto flags = std::make_shared<ThroughputFlags>();
  add_workload_flags(*command, flags->workload);
  command->add_option("--json", flags->json, "write the figures to this file; -: to stdout")
      ->type_name("FILE");
  add_model_flags(*command, flags->model, ModelArgument::kFlag, kEngineSeed);
  command->callback([flags, &action] { action = [flags] { return bench_throughput(*flags); }; });
}

}  // namespace quire
