#include <fmt/format.h>

#include <memory>

#include "base/machine.h"
#include "bench/roofline.h"
#include "cli/commands.h"
#include "cli/workload_flags.h"
#include "server/json_writer.h"

namespace quire {
namespace {

constexpr int64_t kBufferBytes = 512 << 20;

struct RooflineFlags {
  int32_t threads = 0;
  int32_t passes = 9;
  std::string json;
};

Expected<> bench_roofline(const RooflineFlags& flags) {
  const SystemClock clock;
  ThreadPool pool(flags.threads > 0 ? flags.threads : available_cores());
  const double rate = read_bandwidth(pool, kBufferBytes, flags.passes, clock);
  if (!(rate > 0)) return fail(ErrorCode::kResourceExhausted, "there is no memory for the buffer to read");
  if (flags.json != "-") fmt::print("{} threads read {:.1f} GB/s\n", pool.num_threads(), rate * 1e-9);
  if (flags.json.empty()) return {};
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.field("threads", pool.num_threads());
  json.field("bandwidth_gbs", rate * 1e-9);
  json.end_object();
  return write_result(flags.json, text + "\n");
}

}  // namespace

void add_bench_roofline(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("roofline", "how fast this machine reads memory: what bounds decoding");
  auto flags = std::make_shared<RooflineFlags>();
  command
      ->add_option("--threads", flags->threads,
                   "threads that read; 0: all cores this process may use (default: 0)")
      ->type_name("N")
      ->check(CLI::Range(0, 1024).description(""));
  command->add_option("--passes", flags->passes, "times to read 512 MiB; the median counts (default: 9)")
      ->type_name("N")
      ->check(CLI::Range(1, 10000).description(""));
  command->add_option("--json", flags->json, "write the figures to this file; -: to stdout")
      ->type_name("FILE");
  command->callback([flags, &action] { action = [flags] { return bench_roofline(*flags); }; });
}

}  // namespace quire
