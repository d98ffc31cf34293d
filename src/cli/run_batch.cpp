#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "bench/progress_bar.h"
#include "cli/commands.h"
#include "cli/field_flags.h"
#include "cli/model_flags.h"
#include "server/batch/batch_run.h"

namespace quire {
namespace {

constexpr size_t kMaxLineBytes = 16 << 20;  // as long as a request's body may be
constexpr int32_t kWaitingPerSequence = 2;  // requests with the engine, so that it never lacks any

struct BatchFlags {
  ModelFlags model;
  std::string input, output;
  ServerConfig server;
};

// What of a server's configuration says how requests are answered.
constexpr std::array<std::string_view, 5> kServerFlags = {
    "served_model_name", "tool_call_parser", "reasoning_parser", "pooling", "ignore_unknown_fields"};

void add_server_flags(CLI::App& command, ServerConfig& config) {
  std::vector<std::string_view> others;
  for (const auto& field : server_fields()) {
    if (std::ranges::find(kServerFlags, field.name) == kServerFlags.end()) others.push_back(field.name);
  }
  add_field_flags(command, config, server_fields(), "", others);
}

Expected<> report(const BatchCounts& counts, const std::string& output, double seconds) {
  const std::string found =
      counts.found > 0 ? fmt::format(", {} had an answer before", counts.found) : std::string();
  fmt::print(stderr, "{} requests answered in {:.1f} s{}\n", counts.answered, seconds, found);
  if (counts.failed == 0) return {};
  return fail(ErrorCode::kInvalidArgument, "{} of {} requests failed: their lines of {} say why",
              counts.failed, counts.answered, output == "-" ? "the output" : output);
}

Expected<> run_batch(BatchFlags flags) {
  auto input = BatchInput::open(flags.input, kMaxLineBytes);
  if (!input) return std::unexpected(input.error());
  auto output = BatchOutput::open(flags.output, *input);
  if (!output) return std::unexpected(output.error());

  flags.model.engine.max_queue_ms = 0;  // nobody is kept waiting
  const auto local = open_local_model(flags.model);
  if (!local) return std::unexpected(local.error());
  const Clock& clock = (*local)->clock;
  flags.server.response_store = 0;  // no later request can go on from an answer
  const ServedModel served(
      (*local)->handle, served_model_names(flags.server, (*local)->handle.config), clock,
      {.tool_calls = flags.server.tool_call_parser, .reasoning = flags.server.reasoning_parser});
  Api api(flags.server, clock, (*local)->metrics);
  api.serve(served);

  const int64_t start_ns = clock.now_ns();
  const auto elapsed_s = [&] { return static_cast<double>(clock.now_ns() - start_ns) * 1e-9; };
  std::optional<ProgressBar> bar(std::in_place, ProgressBar::Elsewhere::kLines);
  BatchRun run(api, clock, *input, *output, kWaitingPerSequence * served.engine.options().max_num_seqs);
  const auto counts = run.run([&](const BatchCounts& now) {
    bar->show(static_cast<size_t>(now.found + now.answered), static_cast<size_t>(input->num_lines()),
              elapsed_s());
  });
  bar.reset();
  if (!counts) return std::unexpected(counts.error());
  return report(*counts, flags.output, elapsed_s());
}

}  // namespace

void add_run_batch(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("run-batch", "answer a file of requests");
  auto flags = std::make_shared<BatchFlags>();
  command
      ->add_option("-i,--input-file", flags->input,
                   "requests in the format of OpenAI's Batch API, one a line")
      ->type_name("FILE")
      ->required();
  command
      ->add_option(
          "-o,--output-file", flags->output,
          "where answers go, as they come; requests that it answers already are left out; -: stdout")
      ->type_name("FILE")
      ->required();
  add_server_flags(*command, flags->server);
  add_model_flags(*command, flags->model, ModelArgument::kPositional, {});
  command->footer(
      "A run that was stopped, however it was, goes on where it was when it is started again.\n"
      "Example:\n  quire run-batch model.gguf -i requests.jsonl -o answers.jsonl");
  command->callback([flags, &action] { action = [flags] { return run_batch(*flags); }; });
}

}  // namespace quire
