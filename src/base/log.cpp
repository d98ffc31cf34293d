#include "base/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>
#include <ctime>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"

namespace quire {
namespace {

// Its lines are members of a JSON object already. There is one only where lines are JSON.
constexpr const char* kEventLogger = "quire-events";

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warning";
    default: return "error";
  }
}

// RFC 3339 in UTC, to the millisecond.
std::string utc_time(std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

class JsonLines final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    std::string json =
        fmt::format(R"({{"time":"{}","level":"{}",)", utc_time(line.time), level_name(line.level));
    if (view(line.logger_name) == kEventLogger) {
      json += view(line.payload);
    } else {
      json += R"("message":)";
      append_json_string(json, view(line.payload));
    }
    json += "}\n";
    out.append(json.data(), json.data() + json.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonLines>(); }
};

std::string members(std::string_view message, std::span<const LogField> fields) {
  std::string json = R"("message":)";
  append_json_string(json, message);
  for (const auto& [name, value] : fields) {
    json += ',';
    append_json_string(json, name);
    json += ':';
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      append_json_string(json, *text);
    } else if (const auto* number = std::get_if<double>(&value)) {
      fmt::format_to(std::back_inserter(json), "{}", *number);
    } else {
      fmt::format_to(std::back_inserter(json), "{}", std::get<int64_t>(value));
    }
  }
  return json;
}

}  // namespace

Expected<> init_log(std::string_view level, std::string_view format) {
  using Row = std::pair<std::string_view, spdlog::level::level_enum>;
  static constexpr std::array<Row, 5> kLevels{{{"debug", spdlog::level::debug},
                                               {"info", spdlog::level::info},
                                               {"warning", spdlog::level::warn},
                                               {"error", spdlog::level::err},
                                               {"off", spdlog::level::off}}};
  if (format != "text" && format != "json") {
    return fail_param("log-format", "unknown log format '{}': use text or json", format);
  }
  for (const auto& [name, value] : kLevels) {
    if (name != level) continue;
    spdlog::drop(kEventLogger);
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("quire", sink);
    if (format == "json") {
      auto events = std::make_shared<spdlog::logger>(kEventLogger, sink);
      events->set_level(value);
      spdlog::register_logger(std::move(events));
      sink->set_formatter(std::make_unique<JsonLines>());
    } else {
      sink->set_pattern("%^%L%$ %H:%M:%S.%e %v");
    }
    logger->set_level(value);
    spdlog::set_default_logger(std::move(logger));
    return {};
  }
  return fail_param("log-level", "unknown log level '{}': use debug, info, warning, error or off", level);
}

void log_event(std::string_view text, std::string_view message, std::span<const LogField> fields) {
  if (const auto events = spdlog::get(kEventLogger)) {
    events->info("{}", members(message, fields));
  } else {
    LOG(info, "{}", text);
  }
}

}  // namespace quire
