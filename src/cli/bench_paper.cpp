#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "bench/cost_model_json.h"
#include "bench/paper.h"
#include "bench/paper_report.h"
#include "cli/commands.h"
#include "cli/model_flags.h"
#include "cli/workload_flags.h"

namespace quire {
namespace {

// Flags of the engine that the evaluation sets itself.
constexpr std::array<std::string_view, 5> kPaperOwnFlags{"seed", "max_queue", "max_model_len", "block_size",
                                                         "kv_cache_memory_bytes"};

struct PaperFlags {
  ModelFlags model;
  bool quick = false, no_measured = false, no_figures = false;
  int64_t seed = 0;
  std::string output, cost_model;
};

Expected<CostModel> load_cost_model(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(ErrorCode::kNotFound, "cannot read {}", path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto model = parse_cost_model(text);
  if (!model) return fail(model.error().code, "{}: {}", path, model.error().message);
  return model;
}

void show(const StageProgress& stage) {
  const std::string left =
      stage.seconds_left < 0 ? "" : fmt::format(", about {:.0f} s left", stage.seconds_left);
  fmt::print(stderr, "[{}/{}] {}{}\n", stage.number, stage.count, stage.name, left);
  std::fflush(stderr);
}

Expected<> write_results(const PaperResults& results, const PaperFlags& flags) {
  const std::filesystem::path folder = flags.output;
  const std::string table = to_table(results);
  if (auto written = write_result(folder / "results.json", to_json(results)); !written) return written;
  if (auto written = write_result(folder / "results.txt", table); !written) return written;
  // The last one is this machine's, if it was measured.
  for (const CostFit& cost : results.costs) {
    const char* name = &cost == &results.costs.front() ? "cost_model_a100.json" : "cost_model.json";
    if (auto written = write_result(folder / name, to_json(cost.model)); !written) return written;
  }
  fmt::print("{}", table);
  return flags.no_figures ? Expected<>{} : draw_figures(results, flags.output);
}

Expected<> bench_paper(PaperFlags flags) {
  PaperOptions options{.quick = flags.quick,
                       .seed = flags.seed,
                       .measure = !flags.no_measured,
                       .engine = {},
                       .cost_model = {}};
  if (!flags.cost_model.empty()) {
    auto model = load_cost_model(flags.cost_model);
    if (!model) return std::unexpected(model.error());
    options.cost_model = std::move(*model);
  }
  if (options.measure) {
    if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  }
  options.engine = flags.model.engine;
  std::error_code error;
  std::filesystem::create_directories(flags.output, error);
  if (error) return fail(ErrorCode::kIo, "cannot make the folder {}: {}", flags.output, error.message());
  const SystemClock clock;
  const auto results = run_paper(options, show, clock);
  if (!results) return std::unexpected(results.error());
  return write_results(*results, flags);
}

}  // namespace

void add_bench_paper(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "paper", "repeat the PagedAttention paper's evaluation, with its rivals in the same engine");
  auto flags = std::make_shared<PaperFlags>();
  flags->model.engine.max_num_seqs = 64;
  command->add_option("--output", flags->output, "folder for results.json, a table, and figures as PNG")
      ->type_name("DIR")
      ->required();
  command->add_flag("--quick", flags->quick, "shorter runs: under a minute in all");
  command->add_flag("--no-measured", flags->no_measured, "only simulate; needs no model");
  command->add_flag("--no-figures", flags->no_figures,
                    "draw nothing (figures need python3 with matplotlib)");
  command
      ->add_option("--cost-model", flags->cost_model,
                   "this machine's cost model, as an earlier run left it, instead of timing steps")
      ->type_name("FILE");
  command->add_option("--seed", flags->seed, "of lengths, prompts and arrivals (default: 0)")
      ->type_name("N");
  add_model_flags(*command, flags->model, ModelArgument::kFlag, kPaperOwnFlags);
  command->callback([flags, &action] { action = [flags] { return bench_paper(*flags); }; });
}

}  // namespace quire
