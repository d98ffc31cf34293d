// Grammars that wait for a thread, for others, and in vain.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/grammar/compile_gate.h"
#include "tests/grammar/grammar_fixture.h"

namespace quire {
namespace {

constexpr std::chrono::seconds kLong(60);

GrammarSpec choice(std::string text) {
  return {.kind = GrammarKind::kChoice, .choices = {std::move(text)}, .field = "field"};
}

// Its destructor lets go of what is held, as the compiler waits for it.
class CompileQueue : public testing::Test {
 protected:
  ~CompileQueue() override { gate_->open(); }

  GrammarFixture& start(GrammarCompilerOptions options) {
    gate_ = CompileGate::add_to(options);
    return fixture_.emplace(options);
  }
  // Occupies the only thread.
  std::shared_ptr<GrammarRequest> hold(std::string text = "held") {
    const auto request = ask(std::move(text));
    gate_->wait_for_held(1);
    return request;
  }
  std::shared_ptr<GrammarRequest> ask(std::string text) {
    const auto request = fixture_->compiler.request(choice(std::move(text)));
    EXPECT_TRUE(request) << request.error().message;
    return request ? *request : nullptr;
  }
  ErrorCode refusal(std::string text) {
    const auto request = fixture_->compiler.request(choice(std::move(text)));
    EXPECT_FALSE(request);
    return request ? ErrorCode::kInternal : request.error().code;
  }
  int64_t metric(std::string_view name) const {
    const std::string text = fixture_->metrics.render();
    const size_t at = text.find("\n" + std::string(name));
    return at == text.npos ? -1 : std::stoll(text.substr(text.find(' ', at)));
  }

  std::shared_ptr<CompileGate> gate_;
  std::optional<GrammarFixture> fixture_;
};

TEST_F(CompileQueue, ManyAtOnceAreAllServed) {
  start({});
  const auto first = hold();
  std::vector<std::shared_ptr<GrammarRequest>> requests;
  for (int i = 0; i < 32; ++i) requests.push_back(ask(fmt::format("text {}", i)));
  for (const auto& request : requests) EXPECT_FALSE(request->result());
  gate_->open();
  for (int i = 0; i < 32; ++i) {
    const auto grammar = requests[static_cast<size_t>(i)]->wait();
    ASSERT_TRUE(grammar) << grammar.error().message;
    EXPECT_TRUE(accepts(*grammar, fmt::format("text {}", i)));
  }
}

TEST_F(CompileQueue, WhatNobodyWaitsForIsDropped) {
  start({.max_waiting = 2});
  const auto first = hold();
  auto second = ask("second"), again = ask("second");
  const auto third = ask("third");
  EXPECT_EQ(refusal("fourth"), ErrorCode::kResourceExhausted);
  second.reset();
  EXPECT_EQ(refusal("fourth"), ErrorCode::kResourceExhausted);
  again.reset();
  const auto fourth = ask("fourth");
  gate_->open();
  EXPECT_TRUE(first->wait() && third->wait() && fourth->wait());
  EXPECT_EQ(metric("quire:grammar_compile_seconds_count"), 3);
  EXPECT_TRUE(ask("second")->wait());
  EXPECT_EQ(metric("quire:grammar_compile_seconds_count"), 4);
}

// What takes too long fails alone: others go on beside it, and what it came to is there in the end.
TEST_F(CompileQueue, TheTimeOutIsOfACompileAlone) {
  start({.timeout_ms = 100});
  const auto first = hold();
  const auto late = first->wait();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(late.error().param, "field");
  EXPECT_TRUE(late.error().message.contains("longer than 0.1 s")) << late.error().message;
  EXPECT_EQ(ask("held")->wait().error().message, late.error().message);
  while (!ask("other")->wait()) {  // on a machine that is busy it is late itself
  }
  gate_->open();
  while (!ask("held")->wait()) {
  }
  EXPECT_EQ(metric("quire:grammar_cache_misses_total"), 2);
}

TEST_F(CompileQueue, WaitingForOthersEndsWithAnotherError) {
  start({.max_wait_ms = 1000, .max_late = 0});
  const auto first = hold();
  const auto waited = ask("other")->wait();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(waited.error().param, "field");
  gate_->open();
  EXPECT_TRUE(first->wait());
}

TEST_F(CompileQueue, WhoAsksIsNotifiedOnce) {
  start({});
  const auto first = hold();
  std::atomic<int> num_calls = 0;
  first->set_notify([&] { num_calls.fetch_add(1), num_calls.notify_all(); });
  EXPECT_EQ(num_calls.load(), 0);
  gate_->open();
  num_calls.wait(0);
  EXPECT_TRUE(*first->result());
  first->set_notify([&] { num_calls.fetch_add(1); });
  EXPECT_EQ(num_calls.load(), 2);
}

TEST_F(CompileQueue, StoppingWaitsOnlySoLong) {
  start({});
  const auto first = hold();
  const auto second = ask("second");
  EXPECT_FALSE(fixture_->compiler.stop(std::chrono::milliseconds(0)));
  EXPECT_EQ(second->wait().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refusal("third"), ErrorCode::kUnavailable);
  EXPECT_FALSE(first->result());
  gate_->open();
  EXPECT_TRUE(fixture_->compiler.stop(kLong));
  EXPECT_TRUE(*first->result());
}

// Three of the same size where two have room: what was used last stays.
TEST_F(CompileQueue, WhatWasUsedLastIsKept) {
  size_t bytes = 0;
  {
    GrammarFixture one;
    ASSERT_TRUE(one.compiler.compile(choice("aaaa")));
    const std::string text = one.metrics.render();
    bytes = std::stoull(text.substr(text.find(' ', text.find("\nquire:grammar_cache_bytes"))));
  }
  start({.cache_bytes = 2 * bytes + bytes / 2});
  const auto a = ask("aaaa")->wait(), b = ask("bbbb")->wait();
  EXPECT_EQ(*ask("aaaa")->wait(), *a);
  const auto c = ask("cccc")->wait();
  EXPECT_EQ(*ask("aaaa")->wait(), *a);
  EXPECT_EQ(*ask("cccc")->wait(), *c);
  EXPECT_EQ(metric("quire:grammar_cache_misses_total"), 3);
  EXPECT_TRUE(ask("bbbb")->wait());
  EXPECT_EQ(metric("quire:grammar_cache_misses_total"), 4);
}

TEST(GrammarCompilerWithoutEnd, AModelThatHasNoEndTakesNoGrammar) {
  const ByteTokenizer tokenizer;
  MetricsRegistry metrics("");
  GrammarCompiler compiler(tokenizer, {}, {}, metrics);
  const auto compiled = compiler.compile(choice("a"));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(compiled.error().message.contains("no end-of-sequence token"));
}

}  // namespace
}  // namespace quire
