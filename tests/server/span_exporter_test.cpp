#include "server/trace/span_exporter.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace quire {
namespace {

// A name server that does not answer until the test has ended. Look-ups may outlive it.
class SilentNames {
 public:
  ~SilentNames() { state_->release.set_value(); }

  // To be called once, as a promise is kept.
  TargetLookup::Resolve resolve() const {
    return [state = state_, released = state_->release.get_future().share()]() -> Expected<HttpTarget> {
      state->asked.set_value();
      released.wait();
      return fail(ErrorCode::kUnavailable, "nobody knows");
    };
  }
  void wait_until_asked() { state_->asked.get_future().wait(); }

 private:
  struct State {
    std::promise<void> asked, release;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST(TargetLookup, GivesWhatWasFound) {
  TargetLookup lookup([]() -> Expected<HttpTarget> { return HttpTarget{"there", 7, {}, {}}; });
  for (int i = 0; i < 2; ++i) {  // each time anew
    const auto target = lookup.wait(std::chrono::hours(1));
    ASSERT_TRUE(target && *target);
    EXPECT_EQ((*target)->port, 7);
  }
}

TEST(TargetLookup, CanBeLeft) {
  SilentNames names;
  TargetLookup lookup(names.resolve());
  EXPECT_FALSE(lookup.wait(std::chrono::milliseconds(0)));
  names.wait_until_asked();
  EXPECT_FALSE(lookup.wait(std::chrono::milliseconds(0)));  // for the same one: it asks no second time
}

TEST(SpanExporter, EndsInTimeThoughNoNameServerAnswers) {
  constexpr size_t kSpans = 3 * SpanExporter::kBatch;
  MetricsRegistry metrics("");
  SilentNames names;
  {
    SpanExporter exporter({"collector.example", 4318}, "test", metrics,
                          {.resolve = names.resolve(), .end_limit = std::chrono::milliseconds(0)});
    exporter.add(std::vector<TraceSpan>(kSpans));
    names.wait_until_asked();
  }
  EXPECT_THAT(metrics.render(),
              testing::HasSubstr(fmt::format("quire:spans_dropped_total{{}} {}\n", kSpans)));
  EXPECT_THAT(metrics.render(), testing::HasSubstr("quire:spans_exported_total{} 0\n"));
}

}  // namespace
}  // namespace quire
