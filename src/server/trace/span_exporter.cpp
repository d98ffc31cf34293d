#include "server/trace/span_exporter.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/thread_name.h"
#include "server/http/http_client.h"
#include "server/id_source.h"

namespace quire {
namespace {

namespace asio = boost::asio;

constexpr auto kBatchDelay = std::chrono::milliseconds(500);  // for more spans to come along
constexpr int kMaxAttempts = 4;
constexpr int64_t kFirstPauseMs = 500;  // doubled with each attempt
constexpr auto kTimeout = std::chrono::seconds(10);
constexpr auto kStopCheck = std::chrono::milliseconds(100);  // how soon an end is noticed
constexpr size_t kMaxAnswerBytes = 64 << 10;

TargetLookup::Resolve ask_system(const OtlpEndpoint& endpoint) {
  return [host = endpoint.host, port = endpoint.port] {
    asio::io_context context;
    return resolve_target(context, host, port, {});
  };
}

}  // namespace

SpanExporter::SpanExporter(OtlpEndpoint endpoint, std::string service_name, MetricsRegistry& metrics,
                           SpanExporterOptions options)
    : endpoint_(std::move(endpoint)),
      service_name_(std::move(service_name)),
      instance_id_(IdSource().next()),
      end_limit_(options.end_limit),
      lookup_(options.resolve ? std::move(options.resolve) : ask_system(endpoint_)),
      exported_(metrics.counter("quire:spans_exported_total", "Spans that the collector took.")),
      dropped_(metrics.counter("quire:spans_dropped_total",
                               "Spans that were dropped: the collector was away, slow, or refused them.")),
      thread_([this] { run(); }) {}

SpanExporter::~SpanExporter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    end_ = std::chrono::steady_clock::now() + end_limit_;
  }
  changed_.notify_all();
  thread_.join();
}

void SpanExporter::add(std::vector<TraceSpan> spans) {
  bool report = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() + spans.size() > kMaxWaiting) {
      dropped_.add(std::ssize(spans));
      report = !std::exchange(full_reported_, true);
    } else {
      std::ranges::move(spans, std::back_inserter(waiting_));
    }
  }
  if (report) LOG(warn, "spans are dropped: {} wait already for the collector", kMaxWaiting);
  changed_.notify_one();
}

void SpanExporter::run() {
  set_thread_name("quire-spans");
  std::vector<TraceSpan> batch;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    changed_.wait_for(lock, kBatchDelay, [this] { return stopping_ || waiting_.size() >= kBatch; });
    const auto end = waiting_.begin() + std::min<std::ptrdiff_t>(kBatch, std::ssize(waiting_));
    batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    lock.unlock();
    const bool sent = send(batch);
    lock.lock();
    if (!sent && stopping_) {
      dropped_.add(std::ssize(waiting_));
      return;
    }
  }
}

// False: they are lost.
bool SpanExporter::send(const std::vector<TraceSpan>& batch) {
  const std::string body = spans_json(service_name_, instance_id_, batch);
  int64_t pause_ms = kFirstPauseMs;
  for (int attempt = 1;; ++attempt, pause_ms *= 2) {
    const Sent sent = try_to_send(body);
    if (sent == Sent::kYes) {
      exported_.add(std::ssize(batch));
      if (std::exchange(reported_, false)) LOG(info, "the collector takes spans again");
      std::lock_guard lock(mutex_);
      full_reported_ = false;
      return true;
    }
    if (sent == Sent::kNever || attempt == kMaxAttempts || !pause(pause_ms)) break;
  }
  dropped_.add(std::ssize(batch));
  if (!std::exchange(reported_, true)) {
    LOG(warn, "spans are dropped: the collector at {}:{}{} does not take them ({})", endpoint_.host,
        endpoint_.port, endpoint_.path, last_error_);
  }
  return false;
}

// What an attempt that began at `start` may still take.
std::chrono::milliseconds SpanExporter::left(Time start) {
  std::lock_guard lock(mutex_);
  const Time end = stopping_ ? std::min(start + kTimeout, end_) : start + kTimeout;
  return std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
}

// False when the server ends.
bool SpanExporter::pause(int64_t ms) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopping_; });
}

Expected<HttpTarget> SpanExporter::find_collector(Time start) {
  while (left(start).count() > 0) {
    if (auto target = lookup_.wait(std::min(left(start), kStopCheck))) return std::move(*target);
  }
  return fail(ErrorCode::kUnavailable, "its address was not found in time");
}

SpanExporter::Sent SpanExporter::try_to_send(const std::string& body) {
  const Time start = std::chrono::steady_clock::now();
  const auto target = find_collector(start);
  if (!target) {
    last_error_ = target.error().message;
    return Sent::kNotNow;
  }
  size_t num_bytes = 0;
  const auto skip = [&](std::string_view bytes, int) -> Expected<> {
    num_bytes += bytes.size();
    if (num_bytes <= kMaxAnswerBytes) return {};
    return fail(ErrorCode::kResourceExhausted, "its answer has no end");
  };
  Expected<int> status = fail(ErrorCode::kUnavailable, "no answer in time");
  bool done = false;
  const HttpRequest request{.path = endpoint_.path, .body = body, .silence_limit = kTimeout};
  asio::io_context context;
  asio::co_spawn(context, http_exchange(*target, request, skip),
                 [&](std::exception_ptr error, Expected<int> answer) {
                   done = true;
                   if (!error) status = std::move(answer);
                 });
  while (!done && left(start).count() > 0) context.run_for(std::min(left(start), kStopCheck));
  if (!status) {
    last_error_ = status.error().message;
    return Sent::kNotNow;
  }
  if (*status >= 200 && *status < 300) return Sent::kYes;
  last_error_ = fmt::format("status {}", *status);
  // What OTLP says may be tried again.
  return *status == 429 || *status == 502 || *status == 503 || *status == 504 ? Sent::kNotNow
                                                                              : Sent::kNever;
}

}  // namespace quire
