#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace quire {

Histogram::Histogram(std::span<const double> upper_bounds)
    : upper_bounds_(upper_bounds.begin(), upper_bounds.end()),
      buckets_(std::make_unique<std::atomic<int64_t>[]>(upper_bounds.size() + 1)) {}

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value);
  buckets_[static_cast<size_t>(bound - upper_bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

int64_t Histogram::count() const {
  int64_t total = 0;
  for (size_t i = 0; i <= upper_bounds_.size(); ++i) total += bucket_count(i);
  return total;
}

MetricsRegistry::Entry& MetricsRegistry::add(std::string name, std::string help, std::string labels) {
  entries_.push_back(std::make_unique<Entry>());
  Entry& entry = *entries_.back();
  entry.name = std::move(name);
  entry.help = std::move(help);
  entry.labels = std::move(labels);
  return entry;
}

Counter& MetricsRegistry::counter(std::string name, std::string help, std::string labels) {
  Entry& entry = add(std::move(name), std::move(help), std::move(labels));
  entry.counter = std::make_unique<Counter>();
  return *entry.counter;
}

Gauge& MetricsRegistry::gauge(std::string name, std::string help, std::string labels) {
  Entry& entry = add(std::move(name), std::move(help), std::move(labels));
  entry.gauge = std::make_unique<Gauge>();
  return *entry.gauge;
}

Histogram& MetricsRegistry::histogram(std::string name, std::string help,
                                      std::span<const double> upper_bounds) {
  Entry& entry = add(std::move(name), std::move(help), {});
  entry.histogram = std::make_unique<Histogram>(upper_bounds);
  return *entry.histogram;
}

void MetricsRegistry::render_entry(const Entry& entry, std::string& out) const {
  std::string labels = common_labels_;
  if (!entry.labels.empty()) labels += (labels.empty() ? "" : ",") + entry.labels;
  auto line = std::back_inserter(out);
  if (entry.counter) fmt::format_to(line, "{}{{{}}} {}\n", entry.name, labels, entry.counter->value());
  if (entry.gauge) fmt::format_to(line, "{}{{{}}} {}\n", entry.name, labels, entry.gauge->value());
  if (!entry.histogram) return;
  const Histogram& histogram = *entry.histogram;
  const std::string comma = labels.empty() ? "" : ",";
  int64_t cumulative = 0;
  for (size_t i = 0; i < histogram.upper_bounds().size(); ++i) {
    cumulative += histogram.bucket_count(i);
    fmt::format_to(line, "{}_bucket{{{}{}le=\"{}\"}} {}\n", entry.name, labels, comma,
                   histogram.upper_bounds()[i], cumulative);
  }
  cumulative += histogram.bucket_count(histogram.upper_bounds().size());
  fmt::format_to(line, "{}_bucket{{{}{}le=\"+Inf\"}} {}\n", entry.name, labels, comma, cumulative);
  fmt::format_to(line, "{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", entry.name, labels, histogram.sum(),
                 entry.name, labels, cumulative);
}

std::string MetricsRegistry::render() const {
  std::string out;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = *entries_[i];
    const bool first_of_name =
        std::none_of(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const auto& e) { return e->name == entry.name; });
    if (!first_of_name) continue;
    const char* type = entry.counter ? "counter" : entry.gauge ? "gauge" : "histogram";
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", entry.name, entry.help,
                   entry.name, type);
    for (size_t j = i; j < entries_.size(); ++j) {  // samples of one name stand together
      if (entries_[j]->name == entry.name) render_entry(*entries_[j], out);
    }
  }
  return out;
}

std::string escape_label_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace quire
