#include <chrono>
#include <cstdlib>
#include <memory>

#include "base/log.h"
#include "base/machine.h"
#include "cli/commands.h"
#include "cli/field_flags.h"
#include "cli/model_flags.h"
#include "engine/engine_handle.h"
#include "engine/memory_report.h"
#include "runtime/block_file.h"
#include "server/access/api_keys.h"
#include "server/server.h"
#include "weights/gguf_config.h"

namespace quire {
namespace {

struct ServeFlags {
  ModelFlags model{.engine = {}, .log_level = "info"};
  ServerConfig server;
  bool dry_run = false;
  bool has_api_key = false;  // by flag or variable, even if it is empty
};

constexpr std::chrono::seconds kCompileGrace(2);  // for a grammar that is being compiled at the end
constexpr const char* kApiKeyVariable = "QUIRE_API_KEY";

// What serving would take, from the file's header alone: nothing is loaded, and no address is bound.
Expected<> dry_run(const ServeFlags& flags) {
  if (auto checked = validate(flags.server); !checked) return checked;
  if (auto checked = HttpServer::check_files(flags.server); !checked) return checked;
  const EngineConfig& config = flags.model.engine;
  if (!config.chat_template.empty()) {
    if (auto checked = check_chat_template(config.chat_template); !checked) return checked;
  }
  if (!config.swap_dir.empty()) {
    const auto swap = create_block_file(config.swap_dir, 1, FileAccess::kThread);
    if (!swap) return std::unexpected(swap.error());
  }
  const auto file = GgufFile::open(config.model);
  if (!file) return std::unexpected(file.error());
  const int64_t available_bytes = available_memory_bytes();
  const auto plan = plan_engine(config, *file, available_bytes);
  if (!plan) return std::unexpected(plan.error());
  if (const auto text = read_tokenizer_spec(*file); !text) return std::unexpected(text.error());
  const ModelConfig& model = plan->model.config;
  fmt::print("{} ({}, {} layers) would be served as {} on {} port {}\n{}", config.model, model.architecture,
             model.num_layers, fmt::join(served_model_names(flags.server, config), ", "), flags.server.host,
             flags.server.port, memory_report(*plan, available_bytes));
  return check_memory(plan->memory, available_bytes);
}

Expected<> serve(ServeFlags flags) {
  if (flags.has_api_key) {
    if (auto checked = check_given_keys(flags.server.api_key); !checked) return checked;
  }
  if (auto prepared = prepare_model(flags.model); !prepared) return prepared;
  if (flags.dry_run) return dry_run(flags);
  const SystemClock clock;
  const std::string name = served_model_names(flags.server, flags.model.engine).front();
  MetricsRegistry metrics("model_name=\"" + escape_label_value(name) + "\"");
  auto server = HttpServer::bind(flags.server, clock, metrics);
  if (!server) return std::unexpected(server.error());
  auto engine = load_model(flags.model, clock, metrics);
  if (!engine) return std::unexpected(engine.error());
  const auto served = (*server)->serve(*engine);
  if (served && !engine->grammars->stop(kCompileGrace)) {
    LOG(warn, "a grammar is being compiled, which cannot be stopped: ending without it");
    server->reset();
    engine->engine.reset();
    std::_Exit(0);
  }
  return served;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "answer the OpenAI API over HTTP");
  auto flags = std::make_shared<ServeFlags>();
  add_model_flags(*command, flags->model, ModelArgument::kPositional, {});
  add_field_flags(*command, flags->server, server_fields(), "");
  command->add_flag("--dry-run", flags->dry_run,
                    "print how much memory serving would take, and for what, and exit: with 1 if it does "
                    "not fit, or a file or folder that other flags name cannot be used");
  command->get_option("--otlp-endpoint")->envname("OTEL_EXPORTER_OTLP_ENDPOINT");
  command->get_option("--otlp-service-name")->envname("OTEL_SERVICE_NAME");
  const CLI::Option* api_key = command->get_option("--api-key")->envname(kApiKeyVariable);
  command->get_option("--ssl-keyfile-password")->envname("QUIRE_SSL_KEYFILE_PASSWORD");
  command->footer(
      "Examples:\n"
      "  quire serve                                          the default model, for this machine alone\n"
      "  quire serve model.gguf --port 9000 --served-model-name small\n"
      "  quire serve model.gguf --kv-cache-memory 4GiB --max-num-seqs 32 --dry-run\n"
      "  QUIRE_API_KEY=secret quire serve --config quire.yaml --host 0.0.0.0\n"
      "Then: curl http://127.0.0.1:8000/v1/models, or open http://127.0.0.1:8000 in a browser.");
  command->callback([flags, api_key, &action] {
    action = [flags, api_key] {
      // CLI11 takes an empty variable for none.
      flags->has_api_key = api_key->count() > 0 || std::getenv(kApiKeyVariable) != nullptr;
      return serve(*flags);
    };
  });
}

}  // namespace quire
