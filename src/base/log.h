// LOG(level, "format", args...) with level one of debug, info, warn, error. Lines go to stderr, as text or
// each as one JSON object. Never log a prompt or a completion, but where an operator has asked for it.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace quire {

// Called once by main, before any thread starts. Levels: debug, info, warning, error, off. Formats: text,
// json ({"time": "2026-01-31T12:00:00.000Z", "level": "info", "message": ...}). Errors: log-level,
// log-format.
Expected<> init_log(std::string_view level, std::string_view format = "text");

struct LogField {
  std::string_view name;
  std::variant<int64_t, double, std::string_view> value;
};

// A line of level info for programs: in JSON `message` with `fields` as members of their own, otherwise
// `text`, which says the same to people.
void log_event(std::string_view text, std::string_view message, std::span<const LogField> fields);

}  // namespace quire

#define LOG(level, ...) ::spdlog::level(__VA_ARGS__)
