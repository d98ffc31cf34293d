#include "bench/conversations.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace quire {
namespace {

TEST(Conversations, ARoundRepeatsWhatWasSaid) {
  const std::vector<WorkItem> requests{{0, {1, 2}, 3}, {1, {4}, 2}, {2, {5, 6}, 1}};
  TraceSpec trace = kChat;
  trace.mean_rounds = 1e9;  // one conversation
  auto rounds = make_conversations(requests, trace, 1e6, 0);
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0].arrival_s, 0);
  EXPECT_EQ(rounds[0].prompt, (std::vector<TokenId>{1, 2}));
  EXPECT_EQ(rounds[1].prompt, (std::vector<TokenId>{1, 2, 0, 0, 0, 4}));
  EXPECT_EQ(rounds[2].prompt, (std::vector<TokenId>{1, 2, 0, 0, 0, 4, 0, 0, 5, 6}));
  EXPECT_EQ(rounds[2].max_tokens, 1);
  EXPECT_LT(rounds[0].arrival_s, rounds[1].arrival_s);
  EXPECT_LT(rounds[1].arrival_s, rounds[2].arrival_s);

  trace.max_input = 3;
  rounds = make_conversations(requests, trace, 1e6, 0);
  EXPECT_EQ(rounds[1].prompt, (std::vector<TokenId>{0, 0, 4}));
}

TEST(Conversations, MostPromptsAreCutAndArriveInOrder) {
  const auto items = make_trace(kChat, 2, 1000, 1000, 3);
  ASSERT_EQ(items.size(), 2000u);
  EXPECT_TRUE(std::ranges::is_sorted(items, {}, &WorkItem::arrival_s));
  EXPECT_LT(items.back().arrival_s, 1000);
  const auto is_cut = [](const WorkItem& item) { return item.prompt.size() == 1024; };
  EXPECT_GT(std::ranges::count_if(items, is_cut), 1000);
  for (const WorkItem& item : items) {
    EXPECT_GE(item.prompt.size(), 1u);
    EXPECT_LE(item.prompt.size() + static_cast<size_t>(item.max_tokens), 2048u);
  }
}

}  // namespace
}  // namespace quire
