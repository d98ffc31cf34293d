// What each API key may use: requests and tokens a minute, and requests at once. A bucket for either rate
// holds a minute's worth and fills steadily. A request is let in while there is a token in the bucket, and
// what it really used is taken when it is known, so a bucket may go below zero; who emptied it waits longer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/types.h"
#include "server/http/api_error.h"
#include "server/http/http_message.h"

namespace quire {

// 0: no limit.
struct KeyLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;  // of prompts and of answers
  int64_t max_concurrency = 0;    // requests that run or wait
};

// Any thread. Outlives what it has admitted.
class RateLimiter {
 public:
  // Counts refusals in `metrics`. Both outlive it.
  RateLimiter(const Clock& clock, MetricsRegistry& metrics);
  ~RateLimiter();

  // From now on for `tenant`, whom messages call `name`. What it has used of late still counts.
  void set_limits(TenantId tenant, std::string_view name, const KeyLimits& limits);

  // A request that was let in, until it ends.
  class Admission {
   public:
    Admission() = default;  // of somebody without limits
    Admission(Admission&& other) noexcept;
    Admission& operator=(Admission&& other) noexcept;
    ~Admission();
    void charge_tokens(int64_t tokens);

   private:
    friend class RateLimiter;
    Admission(RateLimiter& limiter, TenantId tenant) : limiter_(&limiter), tenant_(tenant) {}
    RateLimiter* limiter_ = nullptr;
    TenantId tenant_ = 0;
  };

  struct Decision {
    std::optional<ApiError> refused;  // 429, code rate_limit_exceeded, naming the limit
    ResponseHeaders headers;          // the limits and what is left of them, as OpenAI's API tells them
    Admission admission;
  };
  Decision admit(TenantId tenant);

 private:
  struct Tenant;
  Tenant* find(TenantId tenant);
  void end(TenantId tenant);
  std::optional<ApiError> refuse(const Tenant& tenant);

  const Clock& clock_;
  Counter& requests_limited_;
  Counter& tokens_limited_;
  Counter& concurrency_limited_;
  std::mutex mutex_;
  std::map<TenantId, std::unique_ptr<Tenant>> tenants_;  // those that have limits, or had
};

}  // namespace quire
