#include "server/api_state.h"

#include <fmt/format.h>

#include <random>

#include "base/rng.h"

namespace quire {
namespace {

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

ApiState::ApiState(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics)
    : keys(config.api_key),
      max_engine_viewers(config.max_engine_viewers),
      ignore_unknown_fields(config.ignore_unknown_fields),
      clock(clock),
      metrics(metrics),
      id_seed_(random_seed()) {}

std::string ApiState::new_id(std::string_view prefix) const {
  const uint64_t number = num_ids_.fetch_add(1, std::memory_order_relaxed);
  return fmt::format("{}{:016x}{:016x}", prefix, random_bits(id_seed_, 2 * number),
                     random_bits(id_seed_, 2 * number + 1));
}

}  // namespace quire
