// Who runs, and with how many tokens: priorities, fair shares, short prompts beside long ones, steps under a
// time target, the longest wait.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/rng.h"
#include "tests/scheduler/scheduler_fixture.h"

namespace quire {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;

class SchedulerPolicyTest : public SchedulerTest {
 protected:
  bool runs(RequestId id) { return group(id).state() == GroupState::kRunning; }
};

TEST_F(SchedulerPolicyTest, AShortPromptPassesALongOne) {
  build({.max_num_seqs = 8, .max_num_batched_tokens = 64, .max_model_len = 9000}, 700, 16);
  const RequestId long_one = add({.prompt = 8000});
  ASSERT_TRUE(step());
  const RequestId short_one = add({.prompt = 10});
  ASSERT_TRUE(step());
  EXPECT_EQ(sequence(short_one).output.size(), 1u) << "at once";
  EXPECT_EQ(num_tokens_in_step(), 64);
  int32_t num_steps = 2;
  for (; sequence(long_one).output.empty(); ++num_steps) ASSERT_TRUE(step());
  EXPECT_EQ(num_steps, (8000 + 10 + 62) / 63) << "and the long one has lost nothing but those tokens";
}

TEST_F(SchedulerPolicyTest, ByPriorityTheUrgentTakesThePlaceOfTheLast) {
  build({.max_num_seqs = 2,
         .max_num_batched_tokens = 64,
         .max_model_len = 100,
         .policy = SchedulingPolicy::kPriority},
        40, 4);
  const RequestId first = add({.prompt = 8, .priority = 3});
  const RequestId second = add({.prompt = 8, .priority = 4});
  ASSERT_TRUE(step());
  const RequestId late = add({.prompt = 8, .priority = 4});
  ASSERT_TRUE(step());
  EXPECT_FALSE(runs(late)) << "equal priorities wait for each other";
  const RequestId urgent = add({.prompt = 8, .priority = -2});
  ASSERT_TRUE(step());
  EXPECT_TRUE(runs(urgent));
  EXPECT_TRUE(runs(first));
  EXPECT_FALSE(runs(second));
  EXPECT_EQ(scheduler_->running().front()->id(), urgent) << "and would be the last to go";
  scheduler_->end(group(urgent), group(urgent).sequences()[0], FinishReason::kAborted);
  ASSERT_TRUE(step());
  EXPECT_TRUE(runs(second)) << "before the one that came later";
  EXPECT_FALSE(runs(late));
}

TEST_F(SchedulerPolicyTest, NobodyMakesWayForWhoStillWouldNotFit) {
  build({.max_num_seqs = 4,
         .max_num_batched_tokens = 64,
         .max_model_len = 100,
         .policy = SchedulingPolicy::kPriority},
        12, 4);
  const RequestId urgent = add({.prompt = 30, .priority = -5});
  const RequestId small = add({.prompt = 4, .priority = 5});
  ASSERT_TRUE(step());
  ASSERT_TRUE(runs(urgent));
  ASSERT_TRUE(runs(small)) << "nine blocks are taken, of twelve";
  const RequestId large = add({.prompt = 20, .priority = 0});
  ASSERT_TRUE(step());
  EXPECT_FALSE(runs(large));
  EXPECT_TRUE(runs(small));
  EXPECT_EQ(scheduler_->num_preemptions(), 0);
}

// Urgent requests keep coming, faster than they can be served; one without urgency still gets its turn.
TEST_F(SchedulerPolicyTest, NobodyStarvesByPriority) {
  build({.max_num_seqs = 2,
         .max_num_batched_tokens = 16,
         .max_model_len = 100,
         .policy = SchedulingPolicy::kPriority},
        40, 4);
  const RequestId patient = add({.prompt = 8, .max_tokens = 4, .priority = 3});
  int64_t served_s = -1;
  for (int64_t second = 0; second < 1000 && served_s < 0; ++second) {
    add({.prompt = 8, .max_tokens = 4, .priority = 0});
    ASSERT_TRUE(step(kSecond));
    if (scheduler_->find(patient) == nullptr) served_s = now_ / kSecond;
  }
  EXPECT_GE(served_s, 100) << "priority counts";
  EXPECT_LE(served_s, 3 * 60 + 200) << "three levels of a minute each, and the queue of that time";
}

// One tenant floods the queue, another sends one request at a time: it is served like the only one.
TEST_F(SchedulerPolicyTest, TenantsGetEqualShares) {
  build({.max_num_seqs = 4, .max_num_batched_tokens = 64, .max_model_len = 100}, 400, 4);
  for (int i = 0; i < 200; ++i) add({.prompt = 8, .max_tokens = 8, .tenant = 1});
  ASSERT_TRUE(step());
  std::map<TenantId, int64_t> tokens;
  std::set<RequestId> mine;
  for (int i = 0; i < 300; ++i) {
    while (mine.size() < 3) mine.insert(add({.prompt = 8, .max_tokens = 8, .tenant = 2}));
    ASSERT_TRUE(step());
    for (const auto& event : events_.tokens) ++tokens[event.group->tenant()];
    std::erase_if(mine, [this](RequestId id) { return scheduler_->find(id) == nullptr; });
  }
  EXPECT_NEAR(static_cast<double>(tokens[2]) / static_cast<double>(tokens[1]), 1.0, 0.1);
}

// What each tenant asks for at the same time comes out alike, whatever mix of lengths they send.
TEST_F(SchedulerPolicyTest, SharesHoldForAnyLengths) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    build({.max_num_seqs = 6, .max_num_batched_tokens = 32, .max_model_len = 200}, 400, 4);
    std::map<TenantId, int64_t> service;
    const auto ask = [&](TenantId tenant) {
      const bool long_one = rng.below(2) == static_cast<uint64_t>(tenant);
      add({.prompt = 1 + static_cast<int32_t>(rng.below(long_one ? 60 : 6)),
           .max_tokens = 1 + static_cast<int32_t>(rng.below(long_one ? 60 : 6)),
           .tenant = tenant});
    };
    for (int i = 0; i < 3000; ++i) {
      for (const TenantId tenant : {0, 1}) {
        const auto is_theirs = [tenant](const auto& group) { return group->tenant() == tenant; };
        while (std::ranges::count_if(scheduler_->waiting(), is_theirs) < 6) ask(tenant);
      }
      ASSERT_TRUE(step());
      for (const auto& event : events_.tokens) {
        service[event.group->tenant()] += event.first_of_group ? event.group->num_prompt_tokens() + 2 : 2;
      }
    }
    const double ratio = static_cast<double>(service[0]) / static_cast<double>(service[1]);
    EXPECT_GT(ratio, 0.85) << "seed " << seed;
    EXPECT_LT(ratio, 1 / 0.85) << "seed " << seed;
  }
}

TEST_F(SchedulerPolicyTest, NoGapIsLongerThanTheTargetForAnothersPrompt) {
  constexpr int64_t kTarget = 50 * kMillisecond;
  build({.max_num_seqs = 8, .max_num_batched_tokens = 512, .max_model_len = 9000, .max_step_ns = kTarget},
        2000, 16);
  // A machine on which a token far into a context takes up to twice as long.
  const auto step_time = [this] {
    int64_t time_ns = 4 * kMillisecond;
    for (const RowWork& work : input_.work) {
      time_ns += work.num_tokens * (kMillisecond + kMillisecond * work.first_position / 8000);
    }
    return time_ns;
  };
  for (int i = 0; i < 4; ++i) add({.prompt = 3, .max_tokens = 5000});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(step(step_time));
  const RequestId late = add({.prompt = 8000});
  int num_steps = 0, num_long = 0;
  while (sequence(late).output.empty()) {
    const int64_t start_ns = now_;
    ASSERT_TRUE(step(step_time));
    num_long += now_ - start_ns > kTarget ? 1 : 0;
    ++num_steps;
  }
  EXPECT_LE(num_long, 1) << "the first guess";
  EXPECT_LE(num_steps, 8000 / 10) << "and the prompt goes on";
}

TEST_F(SchedulerPolicyTest, WhoWaitsTooLongIsNamed) {
  build({.max_num_seqs = 1, .max_num_batched_tokens = 64, .max_model_len = 100, .max_queue_ns = kSecond},
        40, 4);
  const RequestId runs_now = add({.prompt = 4});
  ASSERT_TRUE(step());
  const RequestId early = add({.prompt = 4});
  ASSERT_TRUE(step(kSecond / 2));
  const RequestId late = add({.prompt = 4});
  EXPECT_EQ(scheduler_->find_overdue(now_), nullptr);
  ASSERT_TRUE(step(3 * kSecond / 4));
  SequenceGroup* overdue = scheduler_->find_overdue(now_);
  ASSERT_NE(overdue, nullptr);
  EXPECT_EQ(overdue->id(), early);
  scheduler_->end(*overdue, overdue->sequences()[0], FinishReason::kTimedOut);
  EXPECT_EQ(scheduler_->find_overdue(now_), nullptr) << "the other came later, and who runs does not wait";
  ASSERT_TRUE(step(kSecond));
  ASSERT_NE(scheduler_->find_overdue(now_), nullptr);
  EXPECT_EQ(scheduler_->find_overdue(now_)->id(), late);
  EXPECT_TRUE(runs(runs_now));
}

}  // namespace
}  // namespace quire
