#include "engine/inspect.h"

#include <fmt/format.h>

#include <memory>

#include "base/machine.h"
#include "cli/commands.h"
#include "cli/model_flags.h"

namespace quire {
namespace {

struct InspectFlags {
  ModelFlags model;
  bool graph = false;
};

Expected<> inspect(InspectFlags flags) {
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  const auto text = inspect_model(flags.model.engine, flags.graph, available_memory_bytes());
  if (!text) return std::unexpected(text.error());
  fmt::print("{}{}", *text, text->ends_with('\n') ? "" : "\n");
  return {};
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "inspect", "show what a model file holds and how much memory serving it would take");
  auto flags = std::make_shared<InspectFlags>();
  add_model_flags(*command, flags->model, ModelArgument::kPositional, kEngineSeed);
  command->add_flag("--graph", flags->graph, "also print the model's graph, as traced and as fused");
  command->callback([flags, &action] { action = [flags] { return inspect(*flags); }; });
}

}  // namespace quire
