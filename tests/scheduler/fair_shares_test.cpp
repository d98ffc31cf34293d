#include "scheduler/fair_shares.h"

#include <gtest/gtest.h>

#include <memory>

namespace quire {
namespace {

std::unique_ptr<SequenceGroup> group_of(TenantId tenant, int32_t prompt_tokens = 10) {
  return std::make_unique<SequenceGroup>(
      SequenceGroup::Origin{.id = 1, .first_sequence = 1, .seed = 1, .arrival_ns = 0, .tenant = tenant},
      std::vector<TokenId>(static_cast<size_t>(prompt_tokens), 1),
      std::make_shared<const SamplingParams>());
}

void serve(SequenceGroup& group, size_t num_tokens) {
  group.times.first_scheduled_ns = 1;
  group.sequences()[0].output.resize(num_tokens);
}

TEST(FairShares, OneTenantIsNoContention) {
  FairShares shares;
  const auto a = group_of(3), b = group_of(3), c = group_of(0);
  shares.arrive(*a);
  shares.arrive(*b);
  EXPECT_FALSE(shares.contended());
  shares.arrive(*c);
  EXPECT_TRUE(shares.contended());
  shares.leave(*a);
  EXPECT_TRUE(shares.contended());
  shares.leave(*b);
  EXPECT_FALSE(shares.contended());
}

TEST(FairShares, CountsPromptsOnceAndOutputsTwice) {
  FairShares shares;
  const auto a = group_of(1, 10);
  shares.arrive(*a);
  shares.settle(*a);
  EXPECT_EQ(shares.service(1), 0) << "it has not run";
  serve(*a, 4);
  shares.settle(*a);
  shares.settle(*a);
  EXPECT_EQ(shares.service(1), 10 + 2 * 4);
  serve(*a, 6);
  shares.leave(*a);
  EXPECT_EQ(shares.service(1), 10 + 2 * 6);
}

TEST(FairShares, WhatWasCountedStaysCounted) {
  FairShares shares;
  const auto a = group_of(1, 10);
  shares.arrive(*a);
  serve(*a, 6);
  shares.settle(*a);
  serve(*a, 2);  // a beam search keeps the best of its beams
  shares.leave(*a);
  EXPECT_EQ(shares.service(1), 10 + 2 * 6);
}

TEST(FairShares, IdleTimeEarnsNothing) {
  FairShares shares;
  const auto busy = group_of(1, 1000), back = group_of(2);
  shares.arrive(*busy);
  serve(*busy, 500);
  shares.settle(*busy);
  shares.arrive(*back);
  EXPECT_EQ(shares.service(2), shares.service(1));
}

TEST(FairShares, ComingBackForgivesNothing) {
  FairShares shares;
  const auto other = group_of(1), greedy = group_of(2, 500), again = group_of(2);
  shares.arrive(*other);
  shares.arrive(*greedy);
  serve(*greedy, 100);
  shares.leave(*greedy);
  shares.arrive(*again);
  EXPECT_EQ(shares.service(2), 700);
  EXPECT_EQ(shares.service(1), 0);
}

}  // namespace
}  // namespace quire
