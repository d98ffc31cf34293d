// Cost models as JSON, to be kept beside results and used again. One object:
//   {"name", "source", "points": [{"tokens", "seconds"}, ...], "sample_s", "context_s", "pair_s", "copy_s"}
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "server/json/json_writer.h"
#include "simulate/cost_model.h"

namespace quire {

void write_cost_model(const CostModel& model, JsonWriter& json);
std::string to_json(const CostModel& model);

// kInvalidArgument: no such object, a number out of range, or points that do not rise.
Expected<CostModel> parse_cost_model(std::string_view text);

}  // namespace quire
