#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "base/machine.h"
#include "bench/local_bench.h"
#include "bench/progress_bar.h"
#include "bench/statistics.h"
#include "cli/commands.h"
#include "cli/model_flags.h"
#include "cli/workload_flags.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

struct LatencyFlags {
  ModelFlags model;
  BatchSpec batch;
  int32_t iterations = 10;
  int32_t warmups = 1;
  int64_t seed = 0;
  std::string json;
};

// One run, by its medians.
struct LatencyReport {
  std::vector<double> latency_s, prefill, decode;  // an entry an iteration; decode may have fewer
  double ready_s = 0;
};

constexpr std::array<double, 3> kPercents{50, 90, 99};

Expected<LatencyReport> measure(LocalModel& local, const LatencyFlags& flags) {
  LatencyReport report;
  ProgressBar progress;
  const int64_t start_ns = local.clock.now_ns();
  for (int32_t i = -flags.warmups; i < flags.iterations; ++i) {
    const int64_t seed = flags.seed + i + flags.warmups;
    const auto timing =
        time_batch(*local.handle.engine, flags.batch, local.handle.model.vocab_size, seed, local.clock);
    if (!timing) return std::unexpected(timing.error());
    if (i < 0) continue;
    report.latency_s.push_back(timing->latency_s);
    report.prefill.push_back(timing->prefill_tokens_per_s);
    if (timing->decode_tokens_per_s) report.decode.push_back(*timing->decode_tokens_per_s);
    progress.show(static_cast<size_t>(i + 1), static_cast<size_t>(flags.iterations),
                  static_cast<double>(local.clock.now_ns() - start_ns) * 1e-9);
  }
  return report;
}

std::string to_json(const LatencyReport& report, const LatencyFlags& flags) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("batch_size", flags.batch.batch_size);
  json.field("input_len", flags.batch.input_len);
  json.field("output_len", flags.batch.output_len);
  json.field("iterations", flags.iterations);
  json.field("prefill_tokens_per_s", percentile(report.prefill, 50));
  if (!report.decode.empty()) json.field("decode_tokens_per_s", percentile(report.decode, 50));
  json.field("avg_latency", mean(report.latency_s));
  json.key("latencies");
  json.begin_array();
  for (const double latency : report.latency_s) json.number(latency);
  json.end_array();
  json.key("percentiles");
  json.begin_object();
  for (const double percent : kPercents)
    json.field(fmt::format("{}", percent), percentile(report.latency_s, percent));
  json.end_object();
  json.field("ready_s", report.ready_s);
  json.field("peak_memory_bytes", peak_resident_bytes());
  json.end_object();
  return text + "\n";
}

void print(const LatencyReport& report, const LatencyFlags& flags) {
  fmt::print("{} at once, {} tokens in and {} out, {} times (medians)\n", flags.batch.batch_size,
             flags.batch.input_len, flags.batch.output_len, flags.iterations);
  fmt::print("Prefill   {:>10.1f} tokens/s\n", percentile(report.prefill, 50));
  if (!report.decode.empty()) fmt::print("Decode    {:>10.1f} tokens/s\n", percentile(report.decode, 50));
  for (const double percent : kPercents) {
    fmt::print("{:<10}{:>10.3f} s\n", fmt::format("p{}", percent), percentile(report.latency_s, percent));
  }
  fmt::print("Ready after {:.2f} s, peak memory {:.1f} MiB\n", report.ready_s,
             static_cast<double>(peak_resident_bytes()) / (1 << 20));
}

Expected<> bench_latency(LatencyFlags flags) {
  flags.model.engine.max_num_seqs = std::max(flags.model.engine.max_num_seqs, flags.batch.batch_size);
  flags.model.engine.max_queue = std::max(flags.model.engine.max_queue, flags.batch.batch_size);
  flags.model.engine.max_queue_ms = 0;
  const SystemClock clock;
  const int64_t start_ns = clock.now_ns();
  const auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  const double ready_s = static_cast<double>(clock.now_ns() - start_ns) * 1e-9;
  auto report = measure(**local, flags);
  if (!report) return std::unexpected(report.error());
  report->ready_s = ready_s;
  if (flags.json != "-") print(*report, flags);
  return flags.json.empty() ? Expected<>{} : write_result(flags.json, to_json(*report, flags));
}

CLI::Option* add_count(CLI::App& app, const std::string& name, int32_t& value, int32_t least,
                       const std::string& help) {
  return app.add_option(name, value, fmt::format("{} (default: {})", help, value))
      ->type_name("N")
      ->check(CLI::Range(least, 1 << 20).description(""));
}

}  // namespace

void add_bench_latency(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("latency", "time one batch of equal requests, in process");
  auto flags = std::make_shared<LatencyFlags>();
  add_count(*command, "--batch-size", flags->batch.batch_size, 1, "requests at once");
  add_count(*command, "--input-len", flags->batch.input_len, 1, "tokens of each prompt");
  add_count(*command, "--output-len", flags->batch.output_len, 1, "tokens to generate for each");
  add_count(*command, "--iterations,--num-iters", flags->iterations, 1, "times to measure");
  add_count(*command, "--warmups,--num-iters-warmup", flags->warmups, 0, "times to run before that");
  command->add_option("--seed", flags->seed, "of the random prompts (default: 0)")->type_name("N");
  command->add_option("--json", flags->json, "write the figures to this file; -: to stdout")
      ->type_name("FILE");
  add_model_flags(*command, flags->model, ModelArgument::kFlag, kEngineSeed);
  command->footer(
      "Decode counts from the moment when the last request has its first token to the first one's end.");
  command->callback([flags, &action] { action = [flags] { return bench_latency(*flags); }; });
}

}  // namespace quire
