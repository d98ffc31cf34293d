#include "kernels/attention_plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

struct Step {
  AttentionShape shape;
  int threads = 1;
  std::vector<AttentionSequence> sequences;
};

Step any_step() {
  Step step;
  step.shape.num_kv_heads = *rc::gen::element(1, 2, 3, 8);
  step.shape.num_heads = step.shape.num_kv_heads * *rc::gen::element(1, 2, 3, 4, 7, 30, 130);
  step.shape.head_dim = *rc::gen::element(8, 64, 128);
  step.threads = *rc::gen::element(1, 2, 3, 4, 16);
  const int count = *rc::gen::inRange(0, 20);
  int64_t row = 0;
  for (int i = 0; i < count; ++i) {
    const int context = *rc::gen::oneOf(rc::gen::inRange(1, 600), rc::gen::inRange(1, 40000));
    const int rows =
        *rc::gen::oneOf(rc::gen::element(0, 1), rc::gen::inRange(1, std::min(context, 700) + 1));
    step.sequences.push_back({row, rows, context, nullptr});
    row += rows;
  }
  return step;
}

int64_t pairs_of(const Step& step, int32_t rows) {
  return int64_t{rows} * (step.shape.num_heads / step.shape.num_kv_heads);
}

// Keys of the last of the task's rows, in chunks.
int32_t chunks_seen(const Step& step, int32_t sequence, int32_t first_row, int32_t num_rows) {
  const AttentionSequence& s = step.sequences[static_cast<size_t>(sequence)];
  const int32_t keys = s.context - s.num_rows + first_row + num_rows;
  return (keys + kAttentionChunk - 1) / kAttentionChunk;
}

RC_GTEST_PROP(AttentionPlan, CoversEveryRowHeadAndChunkOnce, ()) {
  const Step step = any_step();
  AttentionPlan plan;
  plan_attention(step.shape, step.sequences, step.threads, plan);
  std::map<std::tuple<int32_t, int32_t, int32_t>, std::vector<std::pair<int32_t, int32_t>>> chunks_of_row;
  for (const AttentionTask& task : plan.tasks) {
    RC_ASSERT(task.num_rows > 0);
    RC_ASSERT(task.num_chunks > 0);
    RC_ASSERT(task.num_rows == 1 || pairs_of(step, task.num_rows) <= kAttentionTaskPairs);
    RC_ASSERT(task.first_chunk == 0 || task.partial >= 0);
    for (int32_t row = task.first_row; row < task.first_row + task.num_rows; ++row) {
      chunks_of_row[{task.sequence, task.kv_head, row}].emplace_back(task.first_chunk, task.num_chunks);
    }
  }
  size_t expected_rows = 0;
  for (const auto& sequence : step.sequences) expected_rows += static_cast<size_t>(sequence.num_rows);
  RC_ASSERT(chunks_of_row.size() == expected_rows * static_cast<size_t>(step.shape.num_kv_heads));
  for (auto& [row, pieces] : chunks_of_row) {
    std::sort(pieces.begin(), pieces.end());
    int32_t next = 0;
    for (const auto& [first, count] : pieces) {
      RC_ASSERT(first == next);
      next += count;
    }
    RC_ASSERT(next >= chunks_seen(step, std::get<0>(row), std::get<2>(row), 1));
  }
}

RC_GTEST_PROP(AttentionPlan, PartialsAreDisjointMergedOnceAndBounded, ()) {
  const Step step = any_step();
  AttentionPlan plan;
  plan_attention(step.shape, step.sequences, step.threads, plan);
  const int64_t bytes = plan.num_partials * partial_stride(step.shape.head_dim) * int64_t{sizeof(float)};
  RC_ASSERT(bytes <= attention_partial_bytes(step.shape, step.threads));
  if (step.threads == 1) RC_ASSERT(plan.merges.empty());

  std::vector<int> written(static_cast<size_t>(plan.num_partials));
  for (const AttentionTask& task : plan.tasks) {
    if (task.partial < 0) continue;
    const int64_t count = pairs_of(step, task.num_rows) * (task.first_chunk == 0 ? 1 : task.num_chunks);
    for (int64_t i = task.partial; i < task.partial + count; ++i) ++written[static_cast<size_t>(i)];
  }
  std::vector<int> read(written.size());
  for (const AttentionMerge& merge : plan.merges) {
    const int64_t pairs = pairs_of(step, merge.num_rows);
    for (int64_t i = 0; i < merge.num_partials * pairs; ++i)
      ++read[static_cast<size_t>(merge.first_partial + i)];
    // Its pieces lie in chunk order from first_partial on.
    int64_t next = merge.first_partial;
    std::vector<AttentionTask> pieces;
    for (const AttentionTask& task : plan.tasks) {
      if (task.sequence == merge.sequence && task.kv_head == merge.kv_head &&
          task.first_row == merge.first_row) {
        pieces.push_back(task);
      }
    }
    std::sort(pieces.begin(), pieces.end(),
              [](const AttentionTask& a, const AttentionTask& b) { return a.first_chunk < b.first_chunk; });
    RC_ASSERT(pieces.size() >= 2U);
    for (const AttentionTask& piece : pieces) {
      RC_ASSERT(piece.num_rows == merge.num_rows);
      RC_ASSERT(piece.partial == next);
      next += pairs * (piece.first_chunk == 0 ? 1 : piece.num_chunks);
    }
    RC_ASSERT(next == merge.first_partial + merge.num_partials * pairs);
  }
  RC_ASSERT(std::all_of(written.begin(), written.end(), [](int count) { return count == 1; }));
  RC_ASSERT(written == read);
}

// Where a thread's tasks begin, as ThreadPool deals them.
int64_t thread_of(int64_t task, int64_t tasks, int threads) {
  int64_t thread = 0;
  while (thread + 1 < threads && tasks * (thread + 1) / threads <= task) ++thread;
  return thread;
}

RC_GTEST_PROP(AttentionPlan, GroupsAreNeighbouringHeadsOfOneChunk, ()) {
  const Step step = any_step();
  AttentionPlan plan;
  plan_attention(step.shape, step.sequences, step.threads, plan);
  const int64_t count = std::ssize(plan.tasks);
  std::vector<bool> reached(plan.tasks.size());
  for (int64_t i = 0; i < count; ++i) {
    const AttentionTask& task = plan.tasks[static_cast<size_t>(i)];
    RC_ASSERT(task.part >= 0 && task.part < task.parts);
    if (task.next_group < 0) continue;
    RC_ASSERT(pairs_of(step, task.num_rows) < kUnpackPairs);
    RC_ASSERT(task.next_group == i - task.part + task.parts);
    const AttentionTask& next = plan.tasks[static_cast<size_t>(task.next_group)];
    RC_ASSERT(thread_of(i - task.part, count, step.threads) ==
              thread_of(task.next_group, count, step.threads));
    for (const int64_t first : {i - task.part, int64_t{task.next_group}}) {
      const AttentionTask& head = plan.tasks[static_cast<size_t>(first)];
      RC_ASSERT(first + head.parts <= count);
      RC_ASSERT(head.parts == 1 || int64_t{head.parts} * step.shape.head_dim <= 256);
      for (int32_t k = 0; k < head.parts; ++k) {
        const AttentionTask& member = plan.tasks[static_cast<size_t>(first + k)];
        RC_ASSERT(member.part == k && member.parts == head.parts);
        RC_ASSERT(member.kv_head == head.kv_head + k);
        RC_ASSERT(member.sequence == head.sequence && member.first_row == head.first_row);
        RC_ASSERT(member.num_chunks == 1 && member.first_chunk == head.first_chunk);
        if (first == task.next_group) reached[static_cast<size_t>(first + k)] = true;
      }
    }
    RC_ASSERT(next.part == 0);
  }
  for (size_t i = 0; i < plan.tasks.size(); ++i) RC_ASSERT(plan.tasks[i].fetched == reached[i]);
}

TEST(AttentionPlan, ALoneDecodeRunsChunkByChunkThroughAllHeads) {
  const std::vector<AttentionSequence> sequences = {{0, 1, 16 * kAttentionChunk, nullptr}};
  AttentionPlan plan;
  plan_attention({9, 3, 64}, sequences, 2, plan);
  ASSERT_EQ(plan.tasks.size(), 48U);
  for (size_t i = 0; i < plan.tasks.size(); ++i) {
    EXPECT_EQ(plan.tasks[i].kv_head, static_cast<int32_t>(i % 3));
    EXPECT_EQ(plan.tasks[i].first_chunk, static_cast<int32_t>(i / 3));
    EXPECT_EQ(plan.tasks[i].fetched, i / 3 % 8 != 0) << "the first group of each thread is not";
  }
}

// The time at which the last thread ends if tasks are taken one by one, in chunks of work.
int64_t makespan(const AttentionPlan& plan, int threads) {
  std::vector<int64_t> busy(static_cast<size_t>(threads));
  for (const AttentionTask& task : plan.tasks) {
    *std::min_element(busy.begin(), busy.end()) += int64_t{task.num_chunks} * task.num_rows;
  }
  return *std::max_element(busy.begin(), busy.end());
}

TEST(AttentionPlan, SharesOneLongContextEvenly) {
  const AttentionShape shape{9, 3, 64};
  for (const int threads : {2, 3, 4, 7, 16}) {
    for (const int chunks : {32, 100, 650}) {
      const std::vector<AttentionSequence> sequences = {{0, 1, chunks * kAttentionChunk, nullptr}};
      AttentionPlan plan;
      plan_attention(shape, sequences, threads, plan);
      const double ideal = 3.0 * chunks / threads;
      EXPECT_LE(static_cast<double>(makespan(plan, threads)), ideal * 1.1 + 2)
          << threads << " threads, " << chunks;
    }
  }
}

TEST(AttentionPlan, SharesMixedBatchesEvenly) {
  const AttentionShape shape{9, 3, 64};
  std::vector<AttentionSequence> sequences;
  for (int i = 0; i < 15; ++i) sequences.push_back({i, 1, 256 * (1 + i % 3), nullptr});
  sequences.push_back({15, 1, 256 * 40, nullptr});
  AttentionPlan plan;
  for (const int threads : {2, 4}) {
    plan_attention(shape, sequences, threads, plan);
    const double ideal = 3.0 * (30 + 40) / threads;
    EXPECT_LE(static_cast<double>(makespan(plan, threads)), ideal * 1.1 + 2);
    EXPECT_LE(plan.merges.size(), 3U) << "only the long one is worth cutting";
  }
}

TEST(AttentionPlan, ShortDecodesAreNotCut) {
  const AttentionShape shape{9, 3, 64};
  std::vector<AttentionSequence> sequences;
  for (int i = 0; i < 16; ++i) sequences.push_back({i, 1, 200, nullptr});
  AttentionPlan plan;
  plan_attention(shape, sequences, 2, plan);
  EXPECT_EQ(plan.tasks.size(), 48U);
  EXPECT_TRUE(plan.merges.empty());
  EXPECT_EQ(plan.num_partials, 0);
}

TEST(AttentionPlan, PrefillIsCutIntoTilesLargestFirst) {
  const std::vector<AttentionSequence> sequences = {{0, 512, 512, nullptr}};
  AttentionPlan plan;
  plan_attention({9, 3, 64}, sequences, 2, plan);
  EXPECT_EQ(plan.tasks.size(), 48U);
  EXPECT_TRUE(plan.merges.empty());
  for (size_t i = 1; i < plan.tasks.size(); ++i)
    EXPECT_GE(plan.tasks[i - 1].num_chunks, plan.tasks[i].num_chunks);
}

TEST(AttentionPlan, GrowsOnceThenReusesItsMemory) {
  const AttentionShape shape{9, 3, 64};
  std::vector<AttentionSequence> sequences;
  for (int i = 0; i < 64; ++i) sequences.push_back({i, 1, 1000 + 97 * i, nullptr});
  AttentionPlan plan;
  plan_attention(shape, sequences, 4, plan);
  const auto* tasks = plan.tasks.data();
  const auto* merges = plan.merges.data();
  plan_attention(shape, sequences, 4, plan);
  EXPECT_EQ(plan.tasks.data(), tasks);
  EXPECT_EQ(plan.merges.data(), merges);
}

TEST(AttentionPlan, NoSequencesGiveNoTasks) {
  AttentionPlan plan;
  plan_attention({9, 3, 64}, {}, 4, plan);
  EXPECT_TRUE(plan.tasks.empty());
  const std::vector<AttentionSequence> idle = {{0, 0, 0, nullptr}};
  plan_attention({9, 3, 64}, idle, 4, plan);
  EXPECT_TRUE(plan.tasks.empty());
}

}  // namespace
}  // namespace quire
