// The API and the page: routes, who may use them, and what they answer. Knows nothing of sockets. Safe from
// any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/metrics.h"
#include "server/answer_run.h"
#include "server/api_keys.h"
#include "server/generation_request.h"
#include "server/http_message.h"
#include "server/response_format.h"
#include "server/served_model.h"
#include "server/server_config.h"

namespace quire {

class Api {
 public:
  // A response, or one that comes as the engine works.
  using Reply = std::variant<HttpResponse, std::unique_ptr<AnswerRun>>;

  // `clock` and `metrics` outlive it. Until serve(), only /live answers, all else is 503.
  Api(const ServerConfig& config, const Clock& clock, const MetricsRegistry& metrics);

  // From now on requests go to `model`, which must outlive all runs and replies.
  void serve(const ServedModel& model) { model_.store(&model); }
  // From now on nothing new is generated, and /ready says 503.
  void drain() { draining_.store(true); }
  bool draining() const { return draining_.load(); }

  // What can be refused by its header alone, before a body is read: 401, 404, 405, 415, 503.
  std::optional<ApiError> refuse(const RequestHead& head) const;

  // Requires a head that is not refused.
  Reply handle(const RequestHead& head, std::string_view body) const;

  // Methods of the route at `path`, as the Allow header lists them; empty if there is none.
  static std::string allowed_methods(std::string_view path);

 private:
  struct Route;
  static const Route* find_route(std::string_view path);
  static std::span<const Route> routes();

  Reply live(const RequestHead& head, std::string_view body) const;
  Reply ready(const RequestHead& head, std::string_view body) const;
  Reply version(const RequestHead& head, std::string_view body) const;
  Reply metrics(const RequestHead& head, std::string_view body) const;
  Reply models(const RequestHead& head, std::string_view body) const;
  Reply model(const RequestHead& head, std::string_view body) const;
  Reply tokenize(const RequestHead& head, std::string_view body) const;
  Reply detokenize(const RequestHead& head, std::string_view body) const;
  Reply completions(const RequestHead& head, std::string_view body) const;
  Reply chat_completions(const RequestHead& head, std::string_view body) const;
  Reply prefixes(const RequestHead& head, std::string_view body) const;
  Reply pin_prefix(const RequestHead& head, std::string_view body) const;
  Reply prefix(const RequestHead& head, std::string_view body) const;
  Reply unpin_prefix(const RequestHead& head, std::string_view body) const;
  Reply engine_events(const RequestHead& head, std::string_view body) const;
  Reply page(const RequestHead& head, std::string_view body) const;

  template <class Request>
  Reply generate(const RequestHead& head, const ResponseFormat& format, Request request, bool echo,
                 bool prompt_only) const;
  ResponseContext new_context(const ResponseFormat& format, const GenerationRequest& request) const;

  const ApiKeys keys_;
  const int32_t max_engine_viewers_;
  const Clock& clock_;
  const MetricsRegistry& metrics_;
  const uint64_t id_seed_;  // ids of answers differ between servers
  mutable std::atomic<uint64_t> num_ids_{0};
  mutable std::atomic<int32_t> num_engine_viewers_{0};
  std::atomic<const ServedModel*> model_{nullptr};
  std::atomic<bool> draining_{false};
};

}  // namespace quire
