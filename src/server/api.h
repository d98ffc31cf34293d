// The API and the page: who may use which route, and what it answers. Knows nothing of sockets. Safe from
// any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/cors.h"
#include "server/endpoint.h"

namespace quire {

class Api {
 public:
  using Reply = ApiReply;

  // `clock` and `metrics` outlive it. Until serve(), only /live answers, all else is 503.
  Api(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics)
      : state_(config, clock, metrics), cors_(config.allowed_origins) {}

  // From now on requests go to `model`, which must outlive all runs and replies.
  void serve(const ServedModel& model) { state_.served.store(&model); }
  // From now on nothing new is generated, and /ready says 503.
  void drain() { state_.draining.store(true); }
  bool draining() const { return state_.draining.load(); }

  // What can be refused by its header alone, before a body is read: 401, 404, 405, 415, 503.
  std::optional<ApiError> refuse(const RequestHead& head) const;

  // Requires a head that is not refused.
  Reply handle(const RequestHead& head, std::string_view body) const;

  // Adds what browsers want to know of any answer to `head`.
  void add_cors_headers(const RequestHead& head, HttpResponse& response) const {
    cors_.add_headers(head, response);
  }

  // Methods of the route at `path`, as the Allow header lists them; empty if there is none.
  static std::string allowed_methods(std::string_view path);

 private:
  ApiState state_;
  const CorsPolicy cors_;
};

}  // namespace quire
