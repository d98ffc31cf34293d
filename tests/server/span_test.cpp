#include "server/trace/span.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(SpansJson, IsOtlp) {
  const TraceSpan server{.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
                         .span_id = "00f067aa0ba902b7",
                         .parent_span_id = "b7ad6b7169203331",
                         .trace_state = "a=b",
                         .name = "POST /v1/completions",
                         .is_server = true,
                         .start_unix_ns = 1'700'000'000'000'000'001,
                         .end_unix_ns = 1'700'000'000'000'000'009,
                         .attributes = {{"text", "a\"b"},
                                        {"count", int64_t{7}},
                                        {"share", 0.5},
                                        {"list", std::vector<std::string>{"stop", "length"}}},
                         .failed = true};
  const TraceSpan part{.trace_id = server.trace_id,
                       .span_id = "1111111111111111",
                       .parent_span_id = server.span_id,
                       .trace_state = {},
                       .name = "queue",
                       .start_unix_ns = 1,
                       .end_unix_ns = 2,
                       .attributes = {}};
  EXPECT_EQ(
      spans_json("svc", "id", std::vector{server, part}),
      R"({"resourceSpans":[{"resource":{"attributes":[)"
      R"({"key":"service.name","value":{"stringValue":"svc"}},)"
      R"({"key":"service.version","value":{"stringValue":")" QUIRE_VERSION R"("}},)"
      R"({"key":"service.instance.id","value":{"stringValue":"id"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"quire","version":")" QUIRE_VERSION R"("},"spans":[)"
      R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",)"
      R"("parentSpanId":"b7ad6b7169203331","traceState":"a=b","name":"POST /v1/completions","kind":2,)"
      R"("startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000009","attributes":[)"
      R"({"key":"text","value":{"stringValue":"a\"b"}},{"key":"count","value":{"intValue":"7"}},)"
      R"({"key":"share","value":{"doubleValue":0.5}},)"
      R"({"key":"list","value":{"arrayValue":{"values":[{"stringValue":"stop"},)"
      R"({"stringValue":"length"}]}}}],)"
      R"("status":{"code":2}},)"
      R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1111111111111111",)"
      R"("parentSpanId":"00f067aa0ba902b7","name":"queue","kind":1,)"
      R"("startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[]}]}]}]})");
}

}  // namespace
}  // namespace quire
