// The API and the page: who may use which route, and what it answers. Knows nothing of sockets. Safe from
// any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/function_ref.h"
#include "server/access/allowed_hosts.h"
#include "server/access/cors.h"
#include "server/access/rate_limiter.h"
#include "server/endpoint.h"
#include "server/routes.h"

namespace quire {

class Api {
 public:
  using Reply = std::variant<HttpResponse, std::unique_ptr<AnswerRun>>;

  // `clock` and `metrics`, where it counts, outlive it. Until serve(), only /live answers, all else is 503.
  Api(const ServerConfig& config, const Clock& clock, MetricsRegistry& metrics)
      : state_(config, clock, metrics),
        hosts_(config.allowed_hosts, config.host),
        cors_(config.allowed_origins),
        limiter_(clock, metrics) {}

  // From now on the keys that `read` gives may use it beside those of `config`, each within its limits; with
  // an error all stays as it was. Calls wait for each other, so the keys in use are those read last.
  Expected<> read_keys(FunctionRef<Expected<std::vector<NamedKey>>()> read);
  TenantId num_keys() const { return state_.keys.size(); }
  // The name of the key that came with `head`, for the log; empty if it has none.
  std::string key_name(const RequestHead& head) const {
    return state_.keys.name_of(state_.keys.find(head.authorization));
  }

  // From now on requests go to `model`, which must outlive all runs and replies.
  void serve(const ServedModel& model) { state_.served.store(&model); }
  // From now on nothing new is generated, and /ready says 503.
  void drain() { state_.draining.store(true); }
  bool draining() const { return state_.draining.load(); }
  // For a request that has come whole; held until there is a reply. Null after drain(): it comes too late.
  PendingRequests::Entry take() const;
  // After drain(): until what was taken before has been answered or is in the engine; false if that takes
  // longer than `timeout`.
  bool wait_for_pending(std::chrono::nanoseconds timeout) {
    return state_.pending.wait_until_none(timeout);
  }

  // Ends what goes on in the background; before the model does.
  void stop_background() { state_.background.stop(); }

  // What can be refused by its header alone, before a body is read: 401, 403, 404, 405, 415, 503.
  std::optional<ApiError> refuse(const RequestHead& head) const;

  // Requires a head that was not refused. Its key is looked up again, once: the answer is a 401 if it has
  // been revoked meanwhile.
  Reply handle(RequestHead head, std::string_view body) const;

  // Adds what browsers want to know of any answer to `head`.
  void add_cors_headers(const RequestHead& head, HttpResponse& response) const {
    cors_.add_headers(head, response);
  }

  // Methods of the route at `path`, as the Allow header lists them; empty if there is none.
  static std::string allowed_methods(std::string_view path);

 private:
  ApiReply admitted(const Route& route, const RequestHead& head, std::string_view body) const;

  ApiState state_;
  const AllowedHosts hosts_;
  const CorsPolicy cors_;
  mutable RateLimiter limiter_;
  std::mutex reading_keys_;
};

}  // namespace quire
