// Counters, gauges and histograms, rendered in Prometheus' text format (version 0.0.4). Updating one is a
// relaxed atomic operation, safe from any thread; registering happens at start, before threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

class Counter {
 public:
  void add(int64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::span<const double> upper_bounds);  // ascending; +Inf is implied
  void observe(double value);
  std::span<const double> upper_bounds() const { return upper_bounds_; }
  int64_t bucket_count(size_t bucket) const { return buckets_[bucket].load(std::memory_order_relaxed); }
  int64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> upper_bounds_;
  std::unique_ptr<std::atomic<int64_t>[]> buckets_;  // upper_bounds_.size() + 1, not cumulative
  std::atomic<double> sum_{0};
};

// Owns its metrics; references stay valid for its life.
class MetricsRegistry {
 public:
  // `common_labels` is rendered into every sample, e.g. model_name="x" (already quoted).
  explicit MetricsRegistry(std::string common_labels) : common_labels_(std::move(common_labels)) {}

  // `labels` is empty or like finished_reason="stop". The same name may be registered with different
  // labels.
  Counter& counter(std::string name, std::string help, std::string labels = {});
  Gauge& gauge(std::string name, std::string help, std::string labels = {});
  Histogram& histogram(std::string name, std::string help, std::span<const double> upper_bounds);

  std::string render() const;

 private:
  struct Entry {
    std::string name, help, labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
  };
  Entry& add(std::string name, std::string help, std::string labels);
  void render_entry(const Entry& entry, std::string& out) const;

  std::string common_labels_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

// Escapes a label value as the text format asks: backslash, quote and newline.
std::string escape_label_value(std::string_view value);

}  // namespace quire
