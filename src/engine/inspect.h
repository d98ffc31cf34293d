// What `quire inspect` prints.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "config/engine_config.h"

namespace quire {

// Architecture, shapes, quantization and the exact memory plan for these flags, from the file's directory
// alone; with `graph`, also the traced and the fused graph. A plan that takes more than `available_bytes`
// (as for plan_engine) is shown with a warning.
Expected<std::string> inspect_model(const EngineConfig& config, bool graph, int64_t available_bytes);

}  // namespace quire
