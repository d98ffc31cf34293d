// A view of the engine as JSON: what an event of /v1/engine/events holds (docs/API.md describes it).
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine_view.h"
#include "server/served_model.h"

namespace quire {

// With the steps after number `last_step` only.
std::string engine_view_json(const ServedModel& model, const EngineView& view, int64_t last_step);

}  // namespace quire
