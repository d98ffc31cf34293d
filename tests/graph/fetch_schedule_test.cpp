#include "graph/fetch_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "graph/passes/passes.h"
#include "tests/graph/graph_fixture.h"

namespace quire {
namespace {

class FetchScheduleTest : public testing::Test {
 protected:
  FetchScheduleTest() {
    lower(graph_, {});
    fuse(graph_, 8);
    for (int layer = 0; layer < kLayers; ++layer) {
      std::byte* at = memory_.data() + layer * 256;
      layers_.push_back({at, at + 64, kLayers * 256, 128, 16, 2, 16, KvDType::kF16});
    }
  }

  static constexpr int kLayers = 3;
  Graph graph_ = trace_decoder({.layers = kLayers});
  std::vector<std::byte> memory_ = std::vector<std::byte>(size_t{kLayers} * 256 * 8);
  std::vector<KvCacheView> layers_;
  const std::array<int32_t, 5> blocks_ = {3, 1, 4, 6, 5};
};

TEST_F(FetchScheduleTest, EveryLayersLinesAreFetchedOnceBeforeItsAttention) {
  FetchSchedule schedule(graph_);
  const std::array<AttentionSequence, 3> sequences = {AttentionSequence{0, 1, 33, blocks_.data()},
                                                      AttentionSequence{1, 0, 48, blocks_.data()},
                                                      AttentionSequence{1, 2, 20, blocks_.data() + 3}};
  schedule.begin_step(sequences, layers_);
  constexpr int64_t kLines = (3 + 2) * 4;  // three blocks and two, of 2 heads x (keys, values) of 64 bytes
  int32_t layer = 0;
  int64_t next = 0;
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    if (graph_.ops[i].kind == OpKind::kPagedAttention) {
      EXPECT_EQ(next, kLines) << "before the attention of layer " << layer;
      ++layer;
      next = 0;
    }
    if (graph_.ops[i].kind != OpKind::kLinear) continue;
    for (int64_t item = 0; item < 7; item += 2) {
      const FetchAhead ahead = schedule.part(i, item, std::min<int64_t>(item + 2, 7), 7);
      if (layer == kLayers) {
        EXPECT_EQ(ahead.begin, ahead.end) << "no attention follows";
        continue;
      }
      EXPECT_EQ(ahead.base, layers_[static_cast<size_t>(layer)].keys);
      EXPECT_EQ(ahead.block_lines, 4);
      EXPECT_EQ(ahead.block_stride_bytes, kLayers * 256);
      EXPECT_EQ(ahead.begin, next);
      next = ahead.end;
    }
  }
  EXPECT_EQ(layer, kLayers);
}

TEST_F(FetchScheduleTest, FetchesABoundedAmount) {
  FetchSchedule schedule(graph_);
  constexpr int32_t kMany = FetchSchedule::kMaxBytes / 256 + 100;
  const std::vector<int32_t> table(kMany, 2);
  const std::array<AttentionSequence, 2> sequences = {AttentionSequence{0, 1, 16 * kMany, table.data()},
                                                      AttentionSequence{1, 1, 16 * kMany, table.data()}};
  schedule.begin_step(sequences, layers_);
  int64_t lines = 0;
  for (size_t i = 0; i < graph_.ops.size(); ++i) {
    if (graph_.ops[i].kind == OpKind::kPagedAttention) break;
    const FetchAhead ahead = schedule.part(i, 0, 1, 1);
    lines += ahead.end - ahead.begin;
  }
  EXPECT_EQ(lines, FetchSchedule::kMaxBytes / 64);
}

}  // namespace
}  // namespace quire
