// LOG(level, "format", args...) with level one of debug, info, warn, error. Lines go to stderr.
// Never log a prompt or a completion.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

#include "base/error.h"

namespace quire {

// Called once by main, before any thread starts. Levels: debug, info, warning, error, off.
Expected<> init_log(std::string_view level);

}  // namespace quire

#define LOG(level, ...) ::spdlog::level(__VA_ARGS__)
