// What all endpoints share. Owned by Api; safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "config/pooling.h"
#include "server/access/api_keys.h"
#include "server/answers/response_store.h"
#include "server/background_runs.h"
#include "server/generation/pending_requests.h"
#include "server/id_source.h"
#include "server/served_model.h"
#include "server/server_config.h"

namespace quire {

struct ApiState {
  // `clock` and `metrics` outlive it.
  ApiState(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics);

  // Null while it is being loaded; then only open routes are asked.
  const ServedModel* loaded() const { return served.load(); }
  const ServedModel& model() const {
    const ServedModel* model = loaded();
    CHECK(model);
    return *model;
  }

  // For an answer; differs from all others of all servers.
  std::string new_id(std::string_view prefix) const;

  ApiKeys keys;
  const int32_t max_engine_viewers;
  const bool ignore_unknown_fields;
  const bool log_prompts;
  const std::optional<Pooling> pooling;  // of embeddings; none: the model's
  const Clock& clock;
  const MetricsRegistry& metrics;
  std::atomic<const ServedModel*> served{nullptr};
  std::atomic<bool> draining{false};
  mutable std::atomic<int32_t> num_engine_viewers{0};
  mutable ResponseStore responses;
  mutable PendingRequests pending;
  mutable BackgroundRuns background;

 private:
  const IdSource ids_;
};

}  // namespace quire
