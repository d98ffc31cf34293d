#include <cstdlib>
#include <memory>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/field_flags.h"
#include "cli/model_flags.h"
#include "server/api_keys.h"
#include "server/server.h"

namespace quire {
namespace {

struct ServeFlags {
  ModelFlags model{.engine = {}, .log_level = "info"};
  ServerConfig server;
  bool has_api_key = false;  // by flag or variable, even if it is empty
};

constexpr const char* kApiKeyVariable = "QUIRE_API_KEY";

Expected<> serve(ServeFlags flags) {
  if (flags.has_api_key) {
    if (auto checked = check_given_keys(flags.server.api_key); !checked) return checked;
  }
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  const SystemClock clock;
  const std::string name = served_model_names(flags.server, flags.model.engine).front();
  MetricsRegistry metrics("model_name=\"" + escape_label_value(name) + "\"");
  auto server = HttpServer::bind(flags.server, clock, metrics);
  if (!server) return std::unexpected(server.error());
  auto engine = open_engine(flags.model.engine, clock, metrics);
  if (!engine) return std::unexpected(engine.error());
  return (*server)->serve(*engine);
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "answer the OpenAI API over HTTP");
  auto flags = std::make_shared<ServeFlags>();
  add_model_flags(*command, flags->model, ModelArgument::kPositional, {});
  add_field_flags(*command, flags->server, server_fields(), "Server");
  const CLI::Option* api_key = command->get_option("--api-key")->envname(kApiKeyVariable);
  command->get_option("--ssl-keyfile-password")->envname("QUIRE_SSL_KEYFILE_PASSWORD");
  command->callback([flags, api_key, &action] {
    action = [flags, api_key] {
      // CLI11 takes an empty variable for none.
      flags->has_api_key = api_key->count() > 0 || std::getenv(kApiKeyVariable) != nullptr;
      return serve(*flags);
    };
  });
}

}  // namespace quire
