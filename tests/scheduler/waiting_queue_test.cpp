#include "scheduler/waiting_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quire {
namespace {

using testing::ElementsAre;

struct Waiting {
  RequestId id;
  int64_t arrival_s = 0;
  int32_t priority = 0;
  TenantId tenant = 0;
  int32_t num_preemptions = 0;
};

class WaitingQueueTest : public testing::Test {
 protected:
  void build(SchedulingPolicy policy) { queue_ = std::make_unique<WaitingQueue>(policy); }

  void add(const Waiting& waiting) {
    auto group = std::make_unique<SequenceGroup>(
        SequenceGroup::Origin{.id = waiting.id,
                              .first_sequence = waiting.id,
                              .seed = 1,
                              .arrival_ns = waiting.arrival_s * 1'000'000'000,
                              .tenant = waiting.tenant,
                              .priority = waiting.priority},
        std::vector<TokenId>{1}, std::make_shared<const SamplingParams>());
    group->num_preemptions = waiting.num_preemptions;
    shares_.arrive(*group);
    queue_->add(std::move(group));
  }

  // All of them, as they would enter if nothing were served between.
  std::vector<RequestId> drain() {
    std::vector<RequestId> ids;
    while (const SequenceGroup* next = queue_->next(shares_)) ids.push_back(queue_->take(*next)->id());
    return ids;
  }

  std::unique_ptr<WaitingQueue> queue_;
  FairShares shares_;
};

TEST_F(WaitingQueueTest, InOrderOfArrival) {
  build(SchedulingPolicy::kFcfs);
  EXPECT_TRUE(queue_->empty());
  EXPECT_EQ(queue_->next(shares_), nullptr);
  for (const RequestId id : {1, 2, 4, 3}) add({.id = id});
  EXPECT_EQ(queue_->size(), 4u);
  EXPECT_THAT(drain(), ElementsAre(1, 2, 3, 4));
}

TEST_F(WaitingQueueTest, PreemptedOnesComeFirst) {
  build(SchedulingPolicy::kFcfs);
  add({.id = 5});
  add({.id = 7, .num_preemptions = 1});
  add({.id = 6, .num_preemptions = 2});
  EXPECT_THAT(drain(), ElementsAre(6, 7, 5));
}

TEST_F(WaitingQueueTest, ALowerPriorityNumberGoesFirst) {
  build(SchedulingPolicy::kPriority);
  add({.id = 1, .arrival_s = 0, .priority = 0});
  add({.id = 2, .arrival_s = 1, .priority = -1});
  add({.id = 3, .arrival_s = 2, .priority = 5, .num_preemptions = 3});
  add({.id = 4, .arrival_s = 2, .priority = -1});
  EXPECT_THAT(drain(), ElementsAre(2, 4, 1, 3));
}

TEST_F(WaitingQueueTest, WaitingMakesUpForPriority) {
  build(SchedulingPolicy::kPriority);
  add({.id = 1, .arrival_s = 0, .priority = 2});
  add({.id = 2, .arrival_s = 119, .priority = 0});
  add({.id = 3, .arrival_s = 121, .priority = 0});
  EXPECT_THAT(drain(), ElementsAre(2, 1, 3));
}

TEST_F(WaitingQueueTest, TheTenantServedLeastIsNext) {
  build(SchedulingPolicy::kFcfs);
  add({.id = 1, .tenant = 1});
  add({.id = 2, .tenant = 1});
  add({.id = 3, .tenant = 2});
  add({.id = 4, .tenant = 2});
  SequenceGroup served(
      {.id = 9, .first_sequence = 9, .seed = 1, .arrival_ns = 0, .tenant = 1, .priority = 0},
      std::vector<TokenId>(100, 1), std::make_shared<const SamplingParams>());
  shares_.arrive(served);
  served.times.first_scheduled_ns = 1;
  shares_.settle(served);
  EXPECT_THAT(drain(), ElementsAre(3, 4, 1, 2));
}

TEST_F(WaitingQueueTest, NobodysShareOvertakesAPreemptedGroup) {
  build(SchedulingPolicy::kFcfs);
  add({.id = 1, .tenant = 1, .num_preemptions = 1});
  add({.id = 2, .tenant = 2});
  SequenceGroup served(
      {.id = 9, .first_sequence = 9, .seed = 1, .arrival_ns = 0, .tenant = 1, .priority = 0},
      std::vector<TokenId>(100, 1), std::make_shared<const SamplingParams>());
  shares_.arrive(served);
  served.times.first_scheduled_ns = 1;
  shares_.settle(served);
  EXPECT_THAT(drain(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace quire
