#include "engine/engine_mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace quire {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;

TEST(EngineMailbox, TakesCommandsInTheOrderSent) {
  EngineMailbox mailbox(4);
  mailbox.send(AbortRequest{.id = 7});
  mailbox.send(FinishContinuation{.id = 8, .index = 2});
  std::vector<EngineCommand> commands;
  mailbox.take(commands);
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(std::get<AbortRequest>(commands[0]).id, 7);
  EXPECT_EQ(std::get<FinishContinuation>(commands[1]).index, 2);
  commands.clear();
  mailbox.take(commands);
  EXPECT_TRUE(commands.empty());
}

TEST(EngineMailbox, LetsInAsManyAsMayWait) {
  EngineMailbox mailbox(2);
  EXPECT_TRUE(mailbox.enter());
  EXPECT_TRUE(mailbox.enter());
  EXPECT_FALSE(mailbox.enter());
  mailbox.stop_waiting(1);  // one of them runs
  EXPECT_TRUE(mailbox.enter());
  EXPECT_FALSE(mailbox.enter());
}

TEST(EngineMailbox, ABatchEntersWholeOrNotAtAll) {
  EngineMailbox mailbox(4);
  EXPECT_TRUE(mailbox.enter(10));  // nobody waits
  EXPECT_FALSE(mailbox.enter());
  mailbox.stop_waiting(8);
  EXPECT_FALSE(mailbox.enter(3));
  EXPECT_TRUE(mailbox.enter(2));
  mailbox.leave(11);
  EXPECT_FALSE(mailbox.idle());
  mailbox.leave();
  EXPECT_TRUE(mailbox.idle());
}

TEST(EngineMailbox, ManyThreadsNeverEnterBeyondTheBound) {
  constexpr int kThreads = 8, kTries = 1000, kBound = 100;
  EngineMailbox mailbox(kBound);
  std::atomic<int> entered{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int turn = 0; turn < kTries; ++turn) entered += mailbox.enter() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(entered, kBound);
}

TEST(EngineMailbox, IsIdleWhenAllHaveLeft) {
  EngineMailbox mailbox(4);
  EXPECT_TRUE(mailbox.idle());
  ASSERT_TRUE(mailbox.enter());
  ASSERT_TRUE(mailbox.enter());
  mailbox.leave();
  EXPECT_FALSE(mailbox.idle());
  EXPECT_FALSE(mailbox.wait_until_idle(nanoseconds(0)));
  std::jthread last([&] { mailbox.leave(); });
  EXPECT_TRUE(mailbox.wait_until_idle(hours(1)));
  EXPECT_TRUE(mailbox.idle());
}

TEST(EngineMailbox, StopWakesAWaitingLoop) {
  EngineMailbox mailbox(4);
  std::jthread stopper([&] { mailbox.stop(); });
  std::vector<EngineCommand> commands;
  mailbox.wait_take(commands);
  EXPECT_TRUE(mailbox.stopping());
  EXPECT_TRUE(commands.empty());
}

TEST(EngineMailbox, ShowsTheLatestSnapshot) {
  EngineMailbox mailbox(4);
  mailbox.publish({.num_running = 1, .num_steps = 1});
  mailbox.publish({.num_running = 3, .num_steps = 2});
  EXPECT_EQ(mailbox.stats().num_running, 3);
  EXPECT_EQ(mailbox.stats().num_steps, 2);
  EXPECT_FALSE(mailbox.draining());
  mailbox.refuse_requests();
  EXPECT_TRUE(mailbox.draining());
}

}  // namespace
}  // namespace quire
