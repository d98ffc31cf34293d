// The flags of every command that opens a model, and the opening itself.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "config/engine_config.h"
#include "engine/engine_handle.h"
#include "server/served_model.h"

namespace quire {

struct ModelFlags {
  EngineConfig engine;
  std::string log_level = "warning";
  std::string log_format = "text";
};

// The argument MODEL, or the flag --model where the argument is something else.
enum class ModelArgument { kPositional, kFlag };

void add_model_argument(CLI::App& app, std::string& model, ModelArgument kind);
void add_log_level(CLI::App& app, std::string& log_level);

// MODEL, --config, --log-level, --log-format, and every field of EngineConfig but `except`.
void add_model_flags(CLI::App& app, ModelFlags& flags, ModelArgument kind,
                     std::span<const std::string_view> except);

// For commands whose requests all have a seed of their own, or for which it means nothing.
inline constexpr std::array<std::string_view, 1> kEngineSeed{"seed"};

// Starts the log and fills in the default model if none was named. To be called before any thread starts.
Expected<> prepare_model(ModelFlags& flags);

// open_engine() of `flags`, with how far it is on stderr.
Expected<EngineHandle> load_model(const ModelFlags& flags, const Clock& clock, MetricsRegistry& metrics);

// A model that answers in this process, without HTTP.
struct LocalModel {
  SystemClock clock;
  MetricsRegistry metrics{""};
  EngineHandle handle;
  std::unique_ptr<ServedModel> served;
};

// prepare_model(), then load_model().
Expected<std::unique_ptr<LocalModel>> open_local_model(ModelFlags flags);

}  // namespace quire
