#include "server/api_state.h"

#include <fmt/format.h>

namespace quire {

ApiState::ApiState(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics)
    : keys(config.api_key),
      max_engine_viewers(config.max_engine_viewers),
      ignore_unknown_fields(config.ignore_unknown_fields),
      log_prompts(config.log_prompts),
      pooling(parse_pooling(config.pooling)),
      clock(clock),
      metrics(metrics),
      responses(config.response_store) {}

std::string ApiState::new_id(std::string_view prefix) const {
  return fmt::format("{}{}", prefix, ids_.next());
}

}  // namespace quire
