#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/field_flags.h"
#include "cli/model_flags.h"
#include "server/server.h"

namespace quire {
namespace {

struct ServeFlags {
  ModelFlags model{.engine = {}, .log_level = "info"};
  ServerConfig server;
};

Expected<> serve(ServeFlags flags) {
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  const SystemClock clock;
  const std::string name = served_model_names(flags.server, flags.model.engine).front();
  MetricsRegistry metrics("model_name=\"" + escape_label_value(name) + "\"");
  auto server = HttpServer::bind(flags.server, clock, metrics);
  if (!server) return std::unexpected(server.error());
  auto engine = open_engine(flags.model.engine, clock, metrics);
  if (!engine) return std::unexpected(engine.error());
  (*server)->serve(*engine);
  return {};
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "answer the OpenAI API over HTTP");
  auto flags = std::make_shared<ServeFlags>();
  add_model_flags(*command, flags->model, ModelArgument::kPositional, {});
  add_field_flags(*command, flags->server, server_fields(), "Server");
  command->get_option("--api-key")->envname("QUIRE_API_KEY");
  command->callback([flags, &action] { action = [flags] { return serve(*flags); }; });
}

}  // namespace quire
