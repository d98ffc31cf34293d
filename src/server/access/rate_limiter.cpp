#include "server/access/rate_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/access/token_bucket.h"

namespace quire {
namespace {

constexpr int64_t kMaxRetrySeconds = 86400;

// Rounded up, but for what arithmetic has added.
int64_t whole_up(double value) { return static_cast<int64_t>(std::ceil(value - 1e-6)); }

// "250ms", "12s", "6m0s".
std::string duration_text(double seconds) {
  const int64_t ms = whole_up(seconds * 1000);
  if (ms < 1000) return fmt::format("{}ms", ms);
  const int64_t whole = (ms + 999) / 1000;
  return whole < 60 ? fmt::format("{}s", whole) : fmt::format("{}m{}s", whole / 60, whole % 60);
}

void add_headers(ResponseHeaders& headers, std::string_view what, const TokenBucket& bucket) {
  if (!bucket.limited()) return;
  headers.emplace_back(fmt::format("x-ratelimit-limit-{}", what), fmt::format("{}", bucket.per_minute()));
  headers.emplace_back(fmt::format("x-ratelimit-remaining-{}", what), fmt::format("{}", bucket.whole()));
  headers.emplace_back(fmt::format("x-ratelimit-reset-{}", what),
                       duration_text(bucket.seconds_until_full()));
}

ApiError limited(std::string message, double seconds) {
  const auto retry_after = static_cast<int>(std::clamp<int64_t>(whole_up(seconds), 1, kMaxRetrySeconds));
  return {429,
          fmt::format("{}; try again in {} s", message, retry_after),
          {},
          "rate_limit_exceeded",
          retry_after};
}

}  // namespace

struct RateLimiter::Tenant {
  std::string name;
  int64_t max_concurrency = 0;
  int64_t num_running = 0;
  TokenBucket requests, tokens;
};

RateLimiter::RateLimiter(const Clock& clock, MetricsRegistry& metrics)
    : clock_(clock),
      requests_limited_(metrics.counter("quire:requests_limited_total",
                                        "Requests refused by a limit of their API key",
                                        "reason=\"requests\"")),
      tokens_limited_(metrics.counter("quire:requests_limited_total", "", "reason=\"tokens\"")),
      concurrency_limited_(metrics.counter("quire:requests_limited_total", "", "reason=\"concurrency\"")) {}

RateLimiter::~RateLimiter() = default;

void RateLimiter::set_limits(TenantId tenant, std::string_view name, const KeyLimits& limits) {
  std::lock_guard lock(mutex_);
  auto& entry = tenants_[tenant];
  if (!entry) entry = std::make_unique<Tenant>();
  const int64_t now_ns = clock_.now_ns();
  entry->name = name;
  entry->max_concurrency = limits.max_concurrency;
  entry->requests.set_rate(limits.requests_per_minute, now_ns);
  entry->tokens.set_rate(limits.tokens_per_minute, now_ns);
}

RateLimiter::Tenant* RateLimiter::find(TenantId tenant) {
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second.get();
}

RateLimiter::Decision RateLimiter::admit(TenantId id) {
  std::lock_guard lock(mutex_);
  Tenant* tenant = find(id);
  if (tenant == nullptr) return {};
  const int64_t now_ns = clock_.now_ns();
  tenant->requests.fill(now_ns);
  tenant->tokens.fill(now_ns);
  Decision decision{.refused = refuse(*tenant), .headers = {}, .admission = {}};
  if (!decision.refused) {
    if (tenant->requests.limited()) tenant->requests.take(1);
    ++tenant->num_running;
    decision.admission = Admission(*this, id);
  }
  add_headers(decision.headers, "requests", tenant->requests);
  add_headers(decision.headers, "tokens", tenant->tokens);
  return decision;
}

std::optional<ApiError> RateLimiter::refuse(const Tenant& tenant) {
  if (tenant.max_concurrency > 0 && tenant.num_running >= tenant.max_concurrency) {
    concurrency_limited_.add();
    return limited(fmt::format("the key '{}' may have {} requests at once (max_concurrency)", tenant.name,
                               tenant.max_concurrency),
                   1);
  }
  if (tenant.requests.limited() && !tenant.requests.has_one()) {
    requests_limited_.add();
    return limited(fmt::format("the key '{}' may send {} requests a minute (requests_per_minute)",
                               tenant.name, tenant.requests.per_minute()),
                   tenant.requests.seconds_until(1));
  }
  if (tenant.tokens.limited() && !tenant.tokens.has_one()) {
    tokens_limited_.add();
    return limited(fmt::format("the key '{}' may use {} tokens a minute (tokens_per_minute)", tenant.name,
                               tenant.tokens.per_minute()),
                   tenant.tokens.seconds_until(1));
  }
  return std::nullopt;
}

void RateLimiter::end(TenantId tenant) {
  std::lock_guard lock(mutex_);
  --find(tenant)->num_running;
}

RateLimiter::Admission::Admission(Admission&& other) noexcept
    : limiter_(std::exchange(other.limiter_, nullptr)), tenant_(other.tenant_) {}

RateLimiter::Admission& RateLimiter::Admission::operator=(Admission&& other) noexcept {
  std::swap(limiter_, other.limiter_);
  std::swap(tenant_, other.tenant_);
  return *this;
}

RateLimiter::Admission::~Admission() {
  if (limiter_ != nullptr) limiter_->end(tenant_);
}

void RateLimiter::Admission::charge_tokens(int64_t tokens) {
  if (limiter_ == nullptr || tokens == 0) return;
  std::lock_guard lock(limiter_->mutex_);
  Tenant& tenant = *limiter_->find(tenant_);
  if (tenant.tokens.limited()) tenant.tokens.take(static_cast<double>(tokens));
}

}  // namespace quire
