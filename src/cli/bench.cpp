#include "cli/commands.h"

namespace quire {

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "measure an engine, a server, or the machine");
  command->require_subcommand(1);
  add_bench_latency(*command, action);
  add_bench_throughput(*command, action);
  add_bench_serve(*command, action);
  add_bench_roofline(*command, action);
  add_bench_paper(*command, action);
  add_bench_random_model(*command, action);
  for (CLI::App* child : command->get_subcommands({})) child->group("Commands");
}

}  // namespace quire
