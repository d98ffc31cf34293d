#include "server/trace/request_tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/trace/span_exporter.h"

namespace quire {
namespace {

constexpr const char* kSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* kNotSampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

RequestHead chat_head() {
  RequestHead head;
  head.method = HttpMethod::kPost;
  head.path = "/v1/chat/completions";
  return head;
}

GenerationTrace small_generation() {
  GenerationTrace trace;
  trace.times = {
      .submitted_ns = 2000, .first_scheduled_ns = 3000, .first_token_ns = 5000, .last_token_ns = 8000};
  trace.response_id = "chatcmpl-1";
  trace.model = "small";
  trace.input_tokens = 11;
  trace.output_tokens = 7;
  trace.finish_reasons = {"stop"};
  trace.max_tokens = 20;
  return trace;
}

class RequestTracerTest : public testing::Test {
 protected:
  // Nobody listens there, and nothing is sent.
  RequestTracerTest() : exporter_({"127.0.0.1", 1}, "test", metrics_), tracer_(exporter_, clock_) {}

  std::vector<TraceSpan> spans(int status = 200, bool failed = false) {
    return tracer_.spans({.head = head_,
                          .peer = "127.0.0.1:1234",
                          .status = status,
                          .failed = failed,
                          .is_known_path = true,
                          .is_https = false,
                          .start_ns = 1000,
                          .end_ns = 9000,
                          .generation = generation_});
  }

  ManualClock clock_;
  MetricsRegistry metrics_{""};
  SpanExporter exporter_;
  RequestTracer tracer_;
  RequestHead head_ = chat_head();
  std::optional<GenerationTrace> generation_ = small_generation();
};

const SpanValue* find_attribute(const TraceSpan& span, std::string_view name) {
  const auto found =
      std::ranges::find_if(span.attributes, [&](const auto& row) { return row.first == name; });
  return found == span.attributes.end() ? nullptr : &found->second;
}

TEST_F(RequestTracerTest, AnEmbeddingIsReadButNotDecoded) {
  head_.path = "/v1/embeddings";
  generation_ =
      GenerationTrace{.times = {.submitted_ns = 2000, .first_scheduled_ns = 3000, .first_token_ns = 5000},
                      .response_id = {},
                      .model = "small",
                      .input_tokens = 11,
                      .finish_reasons = {},
                      .embedding_width = 8,
                      .seed = {}};
  const auto made = spans();
  ASSERT_EQ(made.size(), 3u);
  EXPECT_EQ(made[1].name, "queue");
  EXPECT_EQ(made[2].name, "prefill");
  const auto has = [&](std::string_view name, const SpanValue& value) {
    const SpanValue* found = find_attribute(made[0], name);
    return found != nullptr && *found == value;
  };
  EXPECT_TRUE(has("gen_ai.operation.name", "embeddings"));
  EXPECT_TRUE(has("gen_ai.embeddings.dimension.count", int64_t{8}));
  EXPECT_TRUE(has("gen_ai.usage.input_tokens", int64_t{11}));
  EXPECT_EQ(find_attribute(made[0], "gen_ai.request.temperature"), nullptr);
  EXPECT_EQ(find_attribute(made[0], "gen_ai.response.finish_reasons"), nullptr);
}

TEST_F(RequestTracerTest, APartFollowsTheOtherWithinTheRequest) {
  const auto made = spans();
  ASSERT_EQ(made.size(), 4u);
  EXPECT_EQ(made[0].name, "POST /v1/chat/completions");
  EXPECT_TRUE(made[0].is_server);
  EXPECT_FALSE(made[0].failed);
  EXPECT_EQ(made[0].parent_span_id, "");
  const int64_t start_ns = made[0].start_unix_ns - 1000;
  EXPECT_EQ(made[0].end_unix_ns - start_ns, 9000);
  const std::vector<std::tuple<std::string, int64_t, int64_t>> parts{
      {"queue", 2000, 3000}, {"prefill", 3000, 5000}, {"decode", 5000, 8000}};
  std::set<std::string> ids{made[0].span_id};
  for (size_t i = 0; i < parts.size(); ++i) {
    const TraceSpan& part = made[i + 1];
    EXPECT_EQ(std::tuple(part.name, part.start_unix_ns - start_ns, part.end_unix_ns - start_ns), parts[i]);
    EXPECT_EQ(part.trace_id, made[0].trace_id);
    EXPECT_EQ(part.parent_span_id, made[0].span_id);
    EXPECT_TRUE(ids.insert(part.span_id).second);
    EXPECT_EQ(part.span_id.size(), 16u);
  }
  EXPECT_EQ(made[0].trace_id.size(), 32u);
  EXPECT_NE(spans()[0].trace_id, made[0].trace_id);
}

TEST_F(RequestTracerTest, CarriesTheConventionsAttributes) {
  const auto made = spans();
  const auto text = [&](const char* name) { return std::get<std::string>(*find_attribute(made[0], name)); };
  const auto number = [&](const char* name) { return std::get<int64_t>(*find_attribute(made[0], name)); };
  EXPECT_EQ(text("gen_ai.operation.name"), "chat");
  EXPECT_EQ(text("gen_ai.request.model"), "small");
  EXPECT_EQ(text("gen_ai.response.id"), "chatcmpl-1");
  EXPECT_EQ(text("http.route"), "/v1/chat/completions");
  EXPECT_EQ(text("client.address"), "127.0.0.1");
  EXPECT_EQ(text("url.scheme"), "http");
  EXPECT_EQ(number("gen_ai.usage.input_tokens"), 11);
  EXPECT_EQ(number("gen_ai.usage.output_tokens"), 7);
  EXPECT_EQ(number("gen_ai.request.max_tokens"), 20);
  EXPECT_EQ(number("http.response.status_code"), 200);
  EXPECT_EQ(find_attribute(made[0], "gen_ai.request.seed"), nullptr);
  EXPECT_EQ(find_attribute(made[0], "error.type"), nullptr);
}

TEST_F(RequestTracerTest, GoesOnWithTheClientsTrace) {
  head_.traceparent = kSampled;
  head_.tracestate = "a=b";
  const auto made = spans();
  EXPECT_EQ(made[0].trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(made[0].parent_span_id, "00f067aa0ba902b7");
  EXPECT_EQ(made[3].trace_state, "a=b");
  head_.traceparent = kNotSampled;
  EXPECT_TRUE(spans().empty());
  head_.traceparent = "nonsense";
  EXPECT_EQ(spans()[0].parent_span_id, "");
}

TEST_F(RequestTracerTest, OnlyTheServersFaultsAreFailures) {
  EXPECT_FALSE(spans(404)[0].failed);
  EXPECT_EQ(std::get<std::string>(*find_attribute(spans(404)[0], "error.type")), "404");
  EXPECT_TRUE(spans(503)[0].failed);
  EXPECT_TRUE(spans(200, true)[0].failed);
}

TEST_F(RequestTracerTest, PartsThatWereNotReachedAreLeftOut) {
  generation_->times = {.submitted_ns = 2000, .first_scheduled_ns = 3000};
  ASSERT_EQ(spans().size(), 2u);
  EXPECT_EQ(spans()[1].name, "queue");
  generation_.reset();
  EXPECT_EQ(spans(400).size(), 1u);
  head_.method = HttpMethod::kGet;
  EXPECT_TRUE(spans().empty());
}

TEST_F(RequestTracerTest, WhatCannotBeSentIsCounted) {
  MetricsRegistry metrics("");
  {
    SpanExporter exporter({"127.0.0.1", 1}, "test", metrics);
    exporter.add(std::vector<TraceSpan>(4));
    exporter.add(
        std::vector<TraceSpan>(SpanExporter::kMaxWaiting + 1));  // more than there is ever room for
  }
  const std::string shown = metrics.render();
  EXPECT_THAT(shown, testing::HasSubstr(
                         fmt::format("quire:spans_dropped_total{{}} {}", SpanExporter::kMaxWaiting + 5)));
  EXPECT_THAT(shown, testing::HasSubstr("quire:spans_exported_total{} 0"));
}

}  // namespace
}  // namespace quire
