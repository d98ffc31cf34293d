// The subcommands, a file each. add_X(app, action) adds its flags to `app`; when the command line names it,
// parsing leaves in `action` what to do.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/error.h"

namespace quire {

using Action = std::function<Expected<>()>;

void add_serve(CLI::App& app, Action& action);
void add_chat(CLI::App& app, Action& action);
void add_complete(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_run_batch(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);  // of all commands: to be called last
void add_bench(CLI::App& app, Action& action);       // with the subcommands below

void add_bench_latency(CLI::App& app, Action& action);
void add_bench_throughput(CLI::App& app, Action& action);
void add_bench_serve(CLI::App& app, Action& action);
void add_bench_roofline(CLI::App& app, Action& action);
void add_bench_paper(CLI::App& app, Action& action);
void add_bench_random_model(CLI::App& app, Action& action);

}  // namespace quire
