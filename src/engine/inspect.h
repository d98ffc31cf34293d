// What `quire inspect` prints.
#pragma once

#include <string>

#include "base/error.h"
#include "config/engine_config.h"

namespace quire {

// Architecture, shapes, quantization and the exact memory plan for these flags, from the file's directory
// alone; with `graph`, also the traced and the fused graph.
Expected<std::string> inspect_model(const EngineConfig& config, bool graph);

}  // namespace quire
