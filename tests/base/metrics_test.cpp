#include "base/metrics.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <thread>

namespace quire {
namespace {

TEST(Metrics, RendersPrometheusTextFormat) {
  MetricsRegistry registry("model_name=\"m\"");
  registry.counter("tokens_total", "Tokens.").add(41);
  registry.gauge("running", "Requests now.").set(0.5);
  const std::array<double, 3> bounds{0.1, 1, 10};
  Histogram& histogram = registry.histogram("latency_seconds", "How long.", bounds);
  for (const double value : {0.05, 0.1, 0.5, 100.0}) histogram.observe(value);
  EXPECT_EQ(registry.render(),
            "# HELP tokens_total Tokens.\n"
            "# TYPE tokens_total counter\n"
            "tokens_total{model_name=\"m\"} 41\n"
            "# HELP running Requests now.\n"
            "# TYPE running gauge\n"
            "running{model_name=\"m\"} 0.5\n"
            "# HELP latency_seconds How long.\n"
            "# TYPE latency_seconds histogram\n"
            "latency_seconds_bucket{model_name=\"m\",le=\"0.1\"} 2\n"
            "latency_seconds_bucket{model_name=\"m\",le=\"1\"} 3\n"
            "latency_seconds_bucket{model_name=\"m\",le=\"10\"} 3\n"
            "latency_seconds_bucket{model_name=\"m\",le=\"+Inf\"} 4\n"
            "latency_seconds_sum{model_name=\"m\"} 100.65\n"
            "latency_seconds_count{model_name=\"m\"} 4\n");
}

TEST(Metrics, SamplesOfOneNameStandTogetherUnderOneHead) {
  MetricsRegistry registry("");
  registry.counter("done_total", "Requests.", "reason=\"stop\"").add(2);
  registry.gauge("other", "Other.").set(3);
  registry.counter("done_total", "Requests.", "reason=\"length\"").add();
  EXPECT_EQ(registry.render(),
            "# HELP done_total Requests.\n"
            "# TYPE done_total counter\n"
            "done_total{reason=\"stop\"} 2\n"
            "done_total{reason=\"length\"} 1\n"
            "# HELP other Other.\n"
            "# TYPE other gauge\n"
            "other{} 3\n");
}

TEST(Metrics, CommonLabelsComeFirst) {
  MetricsRegistry registry("a=\"1\"");
  registry.counter("c", "C.", "b=\"2\"");
  EXPECT_NE(registry.render().find("c{a=\"1\",b=\"2\"} 0\n"), std::string::npos);
}

TEST(Metrics, HistogramBoundsAreInclusive) {
  const std::array<double, 2> bounds{1, 2};
  Histogram histogram(bounds);
  for (const double value : {-5.0, 1.0, 1.5, 2.0, 2.5, std::numeric_limits<double>::infinity()})
    histogram.observe(value);
  EXPECT_EQ(histogram.bucket_count(0), 2);
  EXPECT_EQ(histogram.bucket_count(1), 2);
  EXPECT_EQ(histogram.bucket_count(2), 2);
  EXPECT_EQ(histogram.count(), 6);
}

TEST(Metrics, UpdatesFromManyThreadsAllCount) {
  MetricsRegistry registry("");
  Counter& counter = registry.counter("c", "C.");
  const std::array<double, 1> bounds{0.5};
  Histogram& histogram = registry.histogram("h", "H.", bounds);
  std::atomic<size_t> rendered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) {
        counter.add();
        histogram.observe(n % 2);
        if (n % 1000 == 0) rendered += registry.render().size();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(rendered, 0U);
  EXPECT_EQ(counter.value(), 40'000);
  EXPECT_EQ(histogram.count(), 40'000);
  EXPECT_EQ(histogram.bucket_count(0), 20'000);
  EXPECT_EQ(histogram.sum(), 20'000);
}

TEST(Metrics, LabelValuesAreEscaped) {
  EXPECT_EQ(escape_label_value("plain/name-1.5"), "plain/name-1.5");
  EXPECT_EQ(escape_label_value("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
}

}  // namespace
}  // namespace quire
