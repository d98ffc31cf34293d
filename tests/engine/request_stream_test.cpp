#include "engine/request_stream.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace quire {
namespace {

TokenDelta token_delta(int32_t index, TokenId token, FinishReason reason = FinishReason::kNone) {
  TokenDelta delta;
  delta.index = index;
  delta.token = token;
  delta.finish_reason = reason;
  return delta;
}

std::vector<TokenId> tokens_of(const std::vector<TokenDelta>& deltas) {
  std::vector<TokenId> tokens;
  for (const TokenDelta& delta : deltas) tokens.push_back(delta.token);
  return tokens;
}

TEST(RequestStream, PollTakesWhatWaits) {
  RequestStream stream(7, 1);
  EXPECT_EQ(stream.id(), 7);
  std::vector<TokenDelta> out;
  EXPECT_TRUE(stream.poll(out));
  EXPECT_TRUE(out.empty());
  stream.push(token_delta(0, 1));
  stream.push(token_delta(0, 2));
  EXPECT_TRUE(stream.poll(out));
  stream.push(token_delta(0, 3));
  EXPECT_TRUE(stream.poll(out));  // appends
  EXPECT_EQ(tokens_of(out), (std::vector<TokenId>{1, 2, 3}));
}

TEST(RequestStream, EndsWithItsLastContinuation) {
  RequestStream stream(1, 2);
  std::vector<TokenDelta> out;
  stream.push(token_delta(1, 5, FinishReason::kStop));
  EXPECT_TRUE(stream.poll(out));
  stream.push(token_delta(0, 6));
  stream.push(token_delta(0, -1, FinishReason::kAborted));
  EXPECT_FALSE(stream.poll(out));  // the last deltas come with the first false
  EXPECT_EQ(tokens_of(out), (std::vector<TokenId>{5, 6, -1}));
  EXPECT_FALSE(stream.poll(out));
  EXPECT_FALSE(stream.wait(out));
  EXPECT_EQ(out.size(), 3u);
}

TEST(RequestStream, WaitReturnsEmptyAfterItsTimeout) {
  RequestStream stream(1, 1);
  std::vector<TokenDelta> out;
  EXPECT_TRUE(stream.wait(out, std::chrono::nanoseconds(1)));
  EXPECT_TRUE(out.empty());
}

TEST(RequestStream, NotifiesOncePerTimeItFills) {
  RequestStream stream(1, 1);
  int calls = 0;
  stream.set_notify([&] { ++calls; });
  EXPECT_EQ(calls, 0);
  stream.push(token_delta(0, 1));
  stream.push(token_delta(0, 2));
  EXPECT_EQ(calls, 1);
  std::vector<TokenDelta> out;
  stream.poll(out);
  stream.push(token_delta(0, 3, FinishReason::kLength));
  EXPECT_EQ(calls, 2);
}

TEST(RequestStream, NotifiesAtOnceOfWhatWaits) {
  RequestStream stream(1, 1);
  stream.push(token_delta(0, 1));
  std::vector<TokenDelta> out;
  stream.set_notify([&] { stream.poll(out); });  // may poll
  EXPECT_EQ(out.size(), 1u);
  stream.push(token_delta(0, 2, FinishReason::kStop));
  EXPECT_EQ(out.size(), 2u);
}

TEST(RequestStream, NamesOfReasons) {
  EXPECT_EQ(to_string(FinishReason::kStop), "stop");
  EXPECT_EQ(to_string(FinishReason::kLength), "length");
  EXPECT_EQ(to_string(FinishReason::kAborted), "abort");
  EXPECT_EQ(to_string(FinishReason::kError), "error");
  EXPECT_EQ(to_string(FinishReason::kNone), "");
}

constexpr int kTokens = 2000;

// The loop thread's part: two continuations in turn.
void produce(RequestStream& stream) {
  for (TokenId token = 0; token < kTokens; ++token) {
    const bool last = token + 2 >= kTokens;
    stream.push(token_delta(token % 2, token, last ? FinishReason::kLength : FinishReason::kNone));
  }
}

void expect_all_in_order(const std::vector<TokenDelta>& deltas) {
  ASSERT_EQ(deltas.size(), static_cast<size_t>(kTokens));
  for (TokenId token = 0; token < kTokens; ++token) ASSERT_EQ(deltas[token].token, token);
}

TEST(RequestStream, TwoThreadsByWaiting) {
  RequestStream stream(1, 2);
  std::thread loop([&] { produce(stream); });
  std::vector<TokenDelta> out;
  while (stream.wait(out)) {
  }
  loop.join();
  expect_all_in_order(out);
}

// The producer may see that the consumer waits, and be late to wake it: by then it has taken the delta
// without sleeping, and waits for the next. That wake must not leave it asleep for good.
TEST(RequestStream, ALateWakeIsNotTheLast) {
  constexpr int kPushes = 1'000'000;
  constexpr auto kTimeout = std::chrono::seconds(10);  // only who is never woken waits so long
  RequestStream stream(1, 1);
  std::thread loop([&] {
    for (int i = 0; i < kPushes; ++i) {
      for (volatile int pause = i % 97; pause > 0;) pause = pause - 1;
      stream.push(token_delta(0, i, i + 1 == kPushes ? FinishReason::kLength : FinishReason::kNone));
    }
  });
  int num_lost = 0;
  size_t num_taken = 0;
  std::vector<TokenDelta> out;
  for (bool more = true; more; num_taken += out.size()) {
    out.clear();
    const auto start = std::chrono::steady_clock::now();
    more = stream.wait(out, kTimeout);
    const bool timed_out = std::chrono::steady_clock::now() - start >= kTimeout;
    num_lost += timed_out || out.empty() ? 1 : 0;
  }
  loop.join();
  EXPECT_EQ(num_lost, 0);
  EXPECT_EQ(num_taken, static_cast<size_t>(kPushes));
}

// The callback wakes the consumer, which alone polls: no delta may be left without a call that announces
// it.
TEST(RequestStream, TwoThreadsByCallback) {
  RequestStream stream(1, 2);
  std::mutex mutex;
  std::condition_variable woken;
  int64_t calls = 0;
  std::thread loop([&] { produce(stream); });
  stream.set_notify([&] {
    {
      std::lock_guard lock(mutex);
      ++calls;
    }
    woken.notify_one();
  });
  std::vector<TokenDelta> out;
  for (bool more = true; more;) {
    {
      std::unique_lock lock(mutex);
      woken.wait(lock, [&] { return calls > 0; });
      calls = 0;
    }
    more = stream.poll(out);
  }
  loop.join();
  expect_all_in_order(out);
}

}  // namespace
}  // namespace quire
