#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/machine.h"
#include "bench/model_roofline.h"
#include "bench/roofline_report.h"
#include "cli/commands.h"
#include "cli/model_flags.h"
#include "cli/workload_flags.h"

namespace quire {
namespace {

constexpr int64_t kBufferBytes = 512 << 20;
constexpr int kPeakSamples = 15;
// Flags of the engine that this command sets itself.
constexpr std::array<std::string_view, 3> kOwnFlags{"seed", "max_num_seqs", "max_queue"};

struct RooflineFlags {
  ModelFlags model;
  bool machine_only = false, no_kernels = false, no_model = false;
  std::string json, plot;
};

// Prints what is measured as it comes, for it takes a minute.
struct Printer {
  bool quiet = false;
  void operator()(const std::string& text) const {
    if (quiet) return;
    fmt::print("{}", text);
    std::fflush(stdout);
  }
};

void measure_machine(MachinePeaks& peaks, RooflineReport& report) {
  report.threads = peaks.num_threads();
  report.bandwidth = peaks.median_bandwidth(kPeakSamples);
  for (const PeakProbe& probe : peaks.probes())
    report.peaks.push_back({probe.name, peaks.median(probe, kPeakSamples)});
}

Expected<> measure_kernels(const EnginePlan& plan, ThreadPool& pool, MachinePeaks& peaks,
                           const Clock& clock, const Printer& print, RooflineReport& report) {
  const KernelShapes shapes = kernel_shapes(plan);
  auto bench = KernelBench::create(*plan.kernels, pool, peaks, clock, shapes);
  if (!bench) return std::unexpected(bench.error());
  const auto add = [&](const RooflineRow& row) {
    print(row_text(row));
    report.kernels.push_back(row);
  };
  bench->linears(add);
  bench->linear_types(add);
  bench->packing(add);
  bench->row_kernels(add);
  return bench->attention(add);
}

Expected<> measure_model(const RooflineFlags& flags, const EnginePlan& plan, MachinePeaks& peaks,
                         const Printer& print, RooflineReport& report) {
  const auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  for (const ModelCase& which : model_cases((*local)->handle.config)) {
    const auto row = time_model(*(*local)->handle.engine, plan, which, peaks, (*local)->clock);
    if (!row) return std::unexpected(row.error());
    print(row_text(*row));
    report.model.push_back(*row);
  }
  return {};
}

Expected<> measure_all(RooflineFlags& flags, const Printer& print, RooflineReport& report) {
  const SystemClock clock;
  const char* isa = std::getenv("QUIRE_ISA");
  const auto kernels = select_kernels(isa == nullptr ? "" : isa);
  if (!kernels) return std::unexpected(kernels.error());
  if (flags.model.engine.threads == 0) flags.model.engine.threads = available_cores();
  ThreadPool pool(flags.model.engine.threads, memory_nodes());
  auto peaks = MachinePeaks::create(pool, clock, **kernels, kBufferBytes);
  if (!peaks) return std::unexpected(peaks.error());
  report.isa = to_string((*kernels)->isa);
  measure_machine(*peaks, report);
  print(machine_text(report));
  if (flags.machine_only) return {};
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  const auto file = GgufFile::open(flags.model.engine.model);
  if (!file) return std::unexpected(file.error());
  flags.model.engine.max_num_seqs = 64;
  const auto plan = plan_engine(flags.model.engine, *file, available_memory_bytes());
  if (!plan) return std::unexpected(plan.error());
  print(header_text());
  if (!flags.no_kernels) {
    if (auto measured = measure_kernels(*plan, pool, *peaks, clock, print, report); !measured)
      return measured;
  }
  return flags.no_model ? Expected<>{} : measure_model(flags, *plan, *peaks, print, report);
}

Expected<> bench_roofline(RooflineFlags flags) {
  RooflineReport report;
  if (auto measured = measure_all(flags, {.quiet = flags.json == "-"}, report); !measured) return measured;
  if (!flags.plot.empty()) {
    if (auto drawn = plot(report, flags.plot); !drawn) return drawn;
  }
  return flags.json.empty() ? Expected<>{} : write_result(flags.json, to_json(report));
}

}  // namespace

void add_bench_roofline(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "roofline", "hold every kernel and the whole model against what this machine can do");
  auto flags = std::make_shared<RooflineFlags>();
  command->add_flag("--machine", flags->machine_only,
                    "only the machine's own figures: seconds instead of a minute");
  command->add_flag("--no-kernels", flags->no_kernels, "leave out the single kernels");
  command->add_flag("--no-model", flags->no_model, "leave out the whole model");
  command->add_option("--json", flags->json, "write the figures to this file; -: to stdout")
      ->type_name("FILE");
  command->add_option("--plot", flags->plot, "draw them into this PNG (needs python3 with matplotlib)")
      ->type_name("FILE");
  add_model_flags(*command, flags->model, ModelArgument::kFlag, kOwnFlags);
  command->footer(
      "A share is the least time that memory and arithmetic allow, by peaks measured beside each sample, "
      "over "
      "the time taken. Peaks of shared machines drift; shares less so.");
  command->callback([flags, &action] { action = [flags] { return bench_roofline(*flags); }; });
}

}  // namespace quire
