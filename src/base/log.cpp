#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <memory>
#include <utility>

namespace quire {

Expected<> init_log(std::string_view level) {
  using Row = std::pair<std::string_view, spdlog::level::level_enum>;
  static constexpr std::array<Row, 5> kLevels{{{"debug", spdlog::level::debug},
                                               {"info", spdlog::level::info},
                                               {"warning", spdlog::level::warn},
                                               {"error", spdlog::level::err},
                                               {"off", spdlog::level::off}}};
  for (const auto& [name, value] : kLevels) {
    if (name != level) continue;
    auto logger =
        std::make_shared<spdlog::logger>("quire", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_level(value);
    logger->set_pattern("%^%L%$ %H:%M:%S.%e %v");
    spdlog::set_default_logger(std::move(logger));
    return {};
  }
  return fail_param("log-level", "unknown log level '{}': use debug, info, warning, error or off", level);
}

}  // namespace quire
