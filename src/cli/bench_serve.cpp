#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <ctime>
#include <filesystem>
#include <limits>
#include <memory>
#include <vector>

#include "bench/load_generator.h"
#include "bench/progress_bar.h"
#include "bench/serve_report.h"
#include "cli/commands.h"
#include "cli/workload_flags.h"

namespace quire {
namespace {

struct BenchServeFlags {
  LoadOptions load;
  WorkloadFlags workload;
  double request_rate = std::numeric_limits<double>::infinity();
  double burstiness = 1;
  int32_t vocab_size = 32000;
  std::vector<std::string> goodput;
  std::string percents = "50,90,99";
  bool save_result = false, save_detailed = false;
  std::string result_dir = ".", result_filename;
};

Expected<std::vector<double>> parse_percents(const std::string& text) {
  std::vector<double> percents;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    double percent = 0;
    const auto parsed = std::from_chars(text.data() + begin, text.data() + end, percent);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + end;
    if (!whole || !(percent >= 0 && percent <= 100)) {
      return fail_param("metric_percentiles",
                        "metric-percentiles must be numbers from 0 to 100 between commas: {}", text);
    }
    percents.push_back(percent);
    begin = end + 1;
  }
  return percents;
}

Expected<> save(const BenchServeFlags& flags, const ServeReport& report, const WorkloadSpec& spec,
                const LoadResult& result) {
  const RunDescription run{.date = fmt::format("{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr))),
                           .endpoint = flags.load.endpoint,
                           .model = result.model,
                           .workload = spec,
                           .max_concurrency = flags.load.max_concurrency};
  std::string name = flags.result_filename;
  if (name.empty()) name = fmt::format("quire-{}qps-{}.json", flags.request_rate, run.date);
  const std::filesystem::path path = std::filesystem::path(flags.result_dir) / name;
  return write_result(path.string(), to_json(report, run, flags.save_detailed ? &result : nullptr));
}

Expected<> bench_serve(const BenchServeFlags& flags) {
  const auto objectives = parse_objectives(flags.goodput);
  if (!objectives) return std::unexpected(objectives.error());
  const auto percents = parse_percents(flags.percents);
  if (!percents) return std::unexpected(percents.error());
  auto spec = to_workload_spec(flags.workload, flags.vocab_size);
  if (!spec) return std::unexpected(spec.error());
  spec->request_rate = flags.request_rate;
  spec->burstiness = flags.burstiness;
  if (auto checked = validate(*spec); !checked) return checked;

  const SystemClock clock;
  const auto workload = make_workload(*spec);
  Expected<LoadResult> result;
  {
    ProgressBar bar;
    result = run_load(flags.load, workload, clock, [&](const LoadProgress& progress) {
      bar.show(progress.finished, progress.total, progress.elapsed_s);
    });
  }
  if (!result) return std::unexpected(result.error());
  const ServeReport report = summarize(*result, *objectives, *percents);
  fmt::print("{}", to_text(report));
  if (flags.save_result || flags.save_detailed) {
    if (auto saved = save(flags, report, *spec, *result); !saved) return saved;
  }
  if (report.completed == 0) return fail(ErrorCode::kUnavailable, "no request was answered");
  return {};
}

void add_target_flags(CLI::App& app, LoadOptions& load) {
  const std::string group = "Server under test";
  const auto add = [&](const std::string& name, auto& value, const std::string& help,
                       const std::string& type) {
    return app.add_option(name, value, help)->type_name(type)->group(group);
  };
  add("--host", load.host, "where the server listens (default: 127.0.0.1)", "TEXT");
  add("--port", load.port, "and on which port (default: 8000)", "N");
  add("--endpoint", load.endpoint, "path that takes completions and streams (default: /v1/completions)",
      "PATH");
  add("--model", load.model, "model to ask for (default: the first that /v1/models names)", "TEXT");
  add("--api-key", load.api_key, "key to send; also from QUIRE_API_KEY", "TEXT")->envname("QUIRE_API_KEY");
}

void add_load_flags(CLI::App& app, BenchServeFlags& flags) {
  const std::string group = "Load";
  const auto add = [&](const std::string& name, auto& value, const std::string& help,
                       const std::string& type) {
    return app.add_option(name, value, help)->type_name(type)->group(group);
  };
  add("--request-rate", flags.request_rate,
      "requests a second, at random times; inf: all at once (default: inf)", "NUMBER");
  add("--burstiness", flags.burstiness,
      "shape of the gaps' gamma distribution: 1 is Poisson, less is burstier "
      "(default: 1)",
      "NUMBER");
  add("--max-concurrency", flags.load.max_concurrency,
      "most requests under way; more wait, unsent (default: no bound)", "N")
      ->check(CLI::Range(1, 1 << 20).description(""));
  app.add_flag("--ignore-eos", flags.load.ignore_eos, "ask for every token: go on past the end of sequence")
      ->group(group);
  add("--temperature", flags.load.temperature, "randomness of the answers (default: 0)", "NUMBER");
  add("--extra-body", flags.load.extra_body,
      "members to add to every request or to replace in it, as a JSON object", "JSON");
  add("--random-vocab-size", flags.vocab_size, "prompts are random token ids below this (default: 32000)",
      "N");
}

void add_result_flags(CLI::App& app, BenchServeFlags& flags) {
  const std::string group = "Result";
  app.add_option("--goodput", flags.goodput, "also count requests that meet these: ttft:MS tpot:MS e2el:MS")
      ->type_name("NAME:MS...")
      ->group(group);
  app.add_option("--metric-percentiles", flags.percents, "percentiles to report (default: 50,90,99)")
      ->type_name("LIST")
      ->group(group);
  app.add_flag("--save-result", flags.save_result, "write the figures to a JSON file")->group(group);
  app.add_flag("--save-detailed", flags.save_detailed, "the same, with every request's times")
      ->group(group);
  app.add_option("--result-dir", flags.result_dir, "folder of that file (default: the current one)")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--result-filename", flags.result_filename, "its name (default: from rate and date)")
      ->type_name("FILE")
      ->group(group);
}

}  // namespace

void add_bench_serve(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("serve", "send load to a running server and measure what clients see");
  auto flags = std::make_shared<BenchServeFlags>();
  add_target_flags(*command, flags->load);
  add_load_flags(*command, *flags);
  add_workload_flags(*command, flags->workload);
  add_result_flags(*command, *flags);
  command->footer(
      "Example: quire bench serve --request-rate 4 --num-prompts 200 --ignore-eos --goodput ttft:500 "
      "tpot:50");
  command->callback([flags, &action] { action = [flags] { return bench_serve(*flags); }; });
}

}  // namespace quire
