#include "cli/model_flags.h"

#include <utility>

#include "base/log.h"
#include "cli/config_file.h"
#include "cli/default_model.h"
#include "cli/field_flags.h"
#include "cli/load_progress.h"

namespace quire {

void add_model_argument(CLI::App& app, std::string& model, ModelArgument kind) {
  const bool is_flag = kind == ModelArgument::kFlag;
  app.add_option(is_flag ? "--model" : "MODEL", model,
                 "a GGUF file; without it, the default model that script/setup fetched")
      ->type_name("FILE");
}

void add_log_level(CLI::App& app, std::string& log_level) {
  app.add_option("--log-level", log_level,
                 "least severe messages to show on stderr (default: " + log_level + ")")
      ->type_name("debug|info|warning|error|off")
      ->group(std::string(kObservability))
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}).description(""));
}

void add_model_flags(CLI::App& app, ModelFlags& flags, ModelArgument kind,
                     std::span<const std::string_view> except) {
  add_model_argument(app, flags.engine.model, kind);
  add_config_flag(app);
  add_log_level(app, flags.log_level);
  app.add_option("--log-format", flags.log_format,
                 "lines of the log as text, or each as a JSON object (default: text)")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->group(std::string(kObservability));
  add_field_flags(app, flags.engine, engine_fields(), "", except);
}

Expected<> prepare_model(ModelFlags& flags) {
  if (auto started = init_log(flags.log_level, flags.log_format); !started) return started;
  if (!flags.engine.model.empty()) return {};
  auto found = find_default_model();
  if (!found) return std::unexpected(found.error());
  flags.engine.model = std::move(*found);
  return {};
}

Expected<EngineHandle> load_model(const ModelFlags& flags, const Clock& clock, MetricsRegistry& metrics) {
  LoadProgress progress(clock, draws_bar(flags.log_format),
                        stderr_writer(flags.log_level, flags.log_format));
  return open_engine(flags.engine, clock, metrics, progress);
}

Expected<std::unique_ptr<LocalModel>> open_local_model(ModelFlags flags) {
  if (auto prepared = prepare_model(flags); !prepared) return std::unexpected(prepared.error());
  auto model = std::make_unique<LocalModel>();
  auto handle = load_model(flags, model->clock, model->metrics);
  if (!handle) return std::unexpected(handle.error());
  model->handle = std::move(*handle);
  model->served =
      std::make_unique<ServedModel>(model->handle, std::vector<std::string>{"local"}, model->clock);
  return model;
}

}  // namespace quire
