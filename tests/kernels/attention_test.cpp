#include <gtest/gtest.h>

#include <bit>

#include "tests/base/test_effort.h"
#include "tests/kernels/levels.h"
#include "tests/kernels/paged_step.h"

namespace quire {
namespace {

// Largest |difference| to the double reference, where outputs are means of values within [-2, 2].
constexpr double kTolerance = 2e-6;
// Of int8 keys and values, whose queries and weights are rounded to 16 bits.
constexpr double kInt8Tolerance = 4e-4;

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

double largest_error(const std::vector<float>& got, const std::vector<double>& want) {
  EXPECT_EQ(got.size(), want.size());
  double largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(double{got[i]} - want[i]);
    if (!(error <= largest)) largest = error;  // NaN too
  }
  return largest;
}

const PagedShape kModel{{9, 3, 64}, 16, KvDType::kF16};
const PagedShape kInt8Model{{9, 3, 64}, 16, KvDType::kInt8};

TEST(Attention, MatchesDoubleReference) {
  const std::vector<PagedShape> shapes = {
      {{9, 3, 64}, 16, KvDType::kF32},    {{9, 3, 64}, 16, KvDType::kF16},
      {{9, 3, 64}, 16, KvDType::kBF16},   {{1, 1, 8}, 8, KvDType::kF32},
      {{8, 2, 128}, 32, KvDType::kF16},   {{7, 1, 96}, 64, KvDType::kF32},
      {{5, 5, 40}, 16, KvDType::kBF16},   {{12, 1, 80}, 128, KvDType::kF16},
      {{10, 2, 16}, 8, KvDType::kF16},    {{4, 2, 20}, 16, KvDType::kF32},
      {{3, 1, 1}, 8, KvDType::kF16},      {{100, 1, 24}, 16, KvDType::kF32},
      {{6, 6, 48}, 8, KvDType::kBF16},    {{22, 2, 112}, 16, KvDType::kF32},
      {{9, 3, 64}, 16, KvDType::kInt8},   {{8, 2, 128}, 32, KvDType::kInt8},
      {{10, 2, 16}, 8, KvDType::kInt8},   {{5, 5, 40}, 16, KvDType::kInt8},
      {{12, 1, 80}, 128, KvDType::kInt8}, {{3, 1, 1}, 8, KvDType::kInt8},
      {{4, 2, 21}, 16, KvDType::kInt8},   {{100, 1, 24}, 64, KvDType::kInt8},
      {{2, 1, 600}, 8, KvDType::kInt8},
  };
  for (const KernelTable* table : runnable_levels()) {
    double worst = 0;
    double worst_int8 = 0;
    // Sanitized, each level takes another third of the shapes.
    const auto level = static_cast<size_t>(table->isa);
    const size_t stride = sanitized_run() ? 3 : 1;
    for (size_t i = level % stride; i < shapes.size(); i += stride) {
      const PagedShape& shape = shapes[i];
      SCOPED_TRACE(std::string(to_string(table->isa)) + ": " + describe(shape));
      PagedStep step(*table, shape, 240);
      std::vector<PagedStep::Work> work;
      const int rows[][2] = {{1, 1}, {9, 9}, {255, 1}, {256, 3}, {257, 2}, {300, 70}, {517, 1}};
      for (const auto& [context, num_rows] : rows) {
        const int sequence = step.add_sequence(static_cast<uint64_t>(context));
        step.append(sequence, context);
        work.push_back({sequence, num_rows});
      }
      const double error = largest_error(step.attend(work, 2), step.reference(work));
      const bool int8 = shape.dtype == KvDType::kInt8;
      EXPECT_LE(error, int8 ? kInt8Tolerance : kTolerance);
      double& largest = int8 ? worst_int8 : worst;
      largest = std::max(largest, error);
    }
    std::printf("%s: largest error %.2g, of int8 %.2g\n", std::string(to_string(table->isa)).c_str(), worst,
                worst_int8);
  }
}

// Rows of one prefill of `total` tokens, computed `chunk` tokens a step.
std::vector<float> prefill(const KernelTable& table, const PagedShape& shape, int total, int chunk,
                           int threads) {
  PagedStep step(table, shape, total / shape.block_size + 1);
  const int sequence = step.add_sequence(7);
  std::vector<float> out;
  for (int done = 0; done < total;) {
    const int rows = std::min(chunk, total - done);
    step.append(sequence, rows);
    const auto part = step.attend({{sequence, rows}}, threads);
    out.insert(out.end(), part.begin(), part.end());
    done += rows;
  }
  return out;
}

TEST(Attention, ChunkedPrefillGivesTheSameBits) {
  for (const KernelTable* table : runnable_levels()) {
    const bool scalar = table->isa == Isa::kScalar;
    for (const PagedShape& shape : {kModel, PagedShape{{4, 4, 40}, 8, KvDType::kF32}, kInt8Model}) {
      SCOPED_TRACE(std::string(to_string(table->isa)) + ": " + describe(shape));
      const int total = scalar ? 300 : 700;
      const auto whole = prefill(*table, shape, total, total, 1);
      for (const int chunk : {1, 7, 64, 512}) {
        EXPECT_TRUE(same_bits(whole, prefill(*table, shape, total, chunk, 1))) << "chunks of " << chunk;
      }
      EXPECT_TRUE(same_bits(whole, prefill(*table, shape, total, 100, 2)));
    }
  }
}

// Also where a level leaves blocks of one size to the level below it.
TEST(Attention, BlockSizesGiveTheSameBits) {
  for (const KernelTable* table : runnable_levels()) {
    const int total = table->isa == Isa::kScalar ? 150 : 700;
    for (const KvDType dtype : {KvDType::kF32, KvDType::kF16, KvDType::kBF16, KvDType::kInt8}) {
      const auto want = prefill(*table, {{9, 3, 64}, 16, dtype}, total, 64, 1);
      for (const int block_size : {8, 32, 128}) {
        EXPECT_TRUE(same_bits(want, prefill(*table, {{9, 3, 64}, block_size, dtype}, total, 64, 1)))
            << to_string(table->isa) << ", " << to_string(dtype) << ", blocks of " << block_size;
      }
    }
  }
}

void expect_same_bits_in_any_batch(const KernelTable* table, const PagedShape& shape) {
  const bool scalar = table->isa == Isa::kScalar;
  SCOPED_TRACE(std::string(to_string(table->isa)) + ": " + describe(shape));
  const int long_context = scalar ? 2100 : 9000;
  const std::vector<std::pair<int, int>> contexts = {
      {long_context, 1}, {1, 1}, {700, 40}, {256, 1}, {3000, 4}};
  PagedStep step(*table, shape, 900);
  std::vector<PagedStep::Work> work;
  std::vector<float> alone;
  for (const auto& [context, rows] : contexts) {
    const int sequence = step.add_sequence(static_cast<uint64_t>(context));
    step.append(sequence, context);
    work.push_back({sequence, rows});
    const auto part = step.attend({work.back()}, 1);
    EXPECT_TRUE(step.last_plan().merges.empty());
    alone.insert(alone.end(), part.begin(), part.end());
  }
  for (const int threads : {1, 2, 3}) {
    EXPECT_TRUE(same_bits(alone, step.attend(work, threads))) << threads << " threads";
  }
  const std::span first(alone.data(), static_cast<size_t>(9 * 64));
  for (const int threads : {2, 3}) {
    EXPECT_TRUE(same_bits(first, step.attend({work[0]}, threads))) << threads << " threads, alone";
    EXPECT_FALSE(step.last_plan().merges.empty()) << "the long context was to be cut";
  }
}

TEST(Attention, BatchAndThreadsDoNotChangeBits) {
  for (const KernelTable* table : runnable_levels()) {
    expect_same_bits_in_any_batch(table, kModel);
    expect_same_bits_in_any_batch(table, kInt8Model);
  }
}

TEST(Attention, CutContextsOfSeveralRowsGiveTheSameBits) {
  for (const KernelTable* table : runnable_levels()) {
    if (table->isa == Isa::kScalar) continue;
    SCOPED_TRACE(to_string(table->isa));
    PagedStep step(*table, kModel, 400);
    const int sequence = step.add_sequence(9);
    step.append(sequence, 6 * kAttentionChunk + 3);  // the last chunk has no keys for the first rows
    const auto one = step.attend({{sequence, 7}}, 1);
    for (const int threads : {2, 5}) {
      EXPECT_TRUE(same_bits(one, step.attend({{sequence, 7}}, threads))) << threads << " threads";
      EXPECT_FALSE(step.last_plan().merges.empty());
    }
  }
}

TEST(Attention, ContextsBeyondTheRoomForPartialsGiveTheSameBits) {
  // 96 heads share a KV head, so that partials run out at a context of a few thousand.
  const PagedShape shape{{96, 1, 8}, 128, KvDType::kBF16};
  for (const KernelTable* table : runnable_levels()) {
    if (table->isa == Isa::kScalar) continue;
    PagedStep step(*table, shape, 200);
    const int sequence = step.add_sequence(1);
    step.append(sequence, 20000);
    const auto one = step.attend({{sequence, 1}}, 1);
    EXPECT_TRUE(same_bits(one, step.attend({{sequence, 1}}, 2)));
    ASSERT_EQ(step.last_plan().merges.size(), 1U);
    EXPECT_LE(step.last_plan().num_partials, 2 * kAttentionPartialsPerThread);
    EXPECT_GT(step.last_plan().num_partials, kAttentionPartialsPerThread);
  }
}

TEST(Attention, LaterTokensNeverContribute) {
  for (const KernelTable* table : runnable_levels()) {
    for (const KvDType dtype : {KvDType::kF32, KvDType::kF16, KvDType::kInt8}) {
      SCOPED_TRACE(std::string(to_string(table->isa)) + " " + std::string(to_string(dtype)));
      const PagedShape shape{{6, 2, 32}, 16, dtype};
      PagedStep step(*table, shape, 30);
      const int sequence = step.add_sequence(3);
      step.append(sequence, 300);
      const auto clean = step.attend({{sequence, 300}}, 1);
      const int poisoned = 283;
      step.poison_value(sequence, poisoned, std::numeric_limits<float>::infinity());
      const auto out = step.attend({{sequence, 300}}, 1);
      const size_t before = static_cast<size_t>(poisoned) * 6 * 32;
      EXPECT_TRUE(same_bits(std::span(clean).first(before), std::span(out).first(before)));
      for (size_t i = before; i < out.size(); ++i) ASSERT_FALSE(std::isfinite(out[i]));
    }
  }
}

// All weight on one key: the others underflow to nothing, and the result is that key's value.
TEST(Attention, ExtremeScoresStayFinite) {
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(to_string(table->isa));
    constexpr int kHeadDim = 16;
    std::vector<float> keys(8 * kHeadDim, -1000.0F);
    std::vector<float> values(8 * kHeadDim, 5.0F);
    std::vector<int64_t> slots = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int d = 0; d < kHeadDim; ++d) {
      keys[static_cast<size_t>(3 * kHeadDim + d)] = 1000;
      values[static_cast<size_t>(3 * kHeadDim + d)] = 0.25F * static_cast<float>(d);
    }
    std::vector<std::byte> cache_keys(8 * kHeadDim * sizeof(float));
    std::vector<std::byte> cache_values(cache_keys.size());
    const AttentionShape shape{1, 1, kHeadDim};
    alignas(64) static std::byte scratch[1 << 17];
    ASSERT_LE(attention_scratch_bytes(shape), std::ssize(scratch));
    const ExecContext context{0, scratch, std::ssize(scratch)};
    RopeKvArgs write{};
    write.k = keys.data();
    write.v = values.data();
    write.stride = kHeadDim;
    write.slots = slots.data();
    write.kv = {cache_keys.data(), cache_values.data(), std::ssize(cache_keys), 0, 8, 1,
                kHeadDim,          KvDType::kF32};
    table->kv_write(context, write, 0, 8);
    const std::vector<float> q(kHeadDim, 1000.0F);
    std::vector<float> out(kHeadDim);
    const int32_t block = 0;
    const AttentionSequence sequence{0, 1, 8, &block};
    const AttentionTask task{0, 0, 0, 1, 0, 1, -1};
    const AttentionArgs args{q.data(), kHeadDim, out.data(), kHeadDim, &sequence, &task,
                             1,        nullptr,  nullptr,    1,        0.25F,     write.kv};
    table->attention(context, args, 0, 1);
    for (int d = 0; d < kHeadDim; ++d)
      EXPECT_EQ(out[static_cast<size_t>(d)], 0.25F * static_cast<float>(d));
  }
}

}  // namespace
}  // namespace quire
