#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/rng.h"
#include "tests/kernels/levels.h"

namespace quire {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr ExecContext kNoContext{0, nullptr, 0};

std::vector<float> random_floats(size_t count, uint64_t seed, float range) {
  Rng rng(seed);
  std::vector<float> all(count);
  for (float& x : all) x = static_cast<float>(rng.uniform() * 2 - 1) * range;
  return all;
}

// Two rows of `width`, apart from one another and from out's.
struct Rows {
  explicit Rows(int64_t width)
      : width(width),
        a(random_floats(static_cast<size_t>(2 * width + 3), 1, 20)),
        b(random_floats(static_cast<size_t>(2 * width + 7), 2, 20)),
        out(static_cast<size_t>(2 * width + 1), kNan) {}
  BinaryArgs args() { return {a.data(), width + 3, b.data(), width + 7, out.data(), width + 1, width, 2}; }
  float a_at(int64_t row, int64_t i) const { return a[static_cast<size_t>(row * (width + 3) + i)]; }
  float b_at(int64_t row, int64_t i) const { return b[static_cast<size_t>(row * (width + 7) + i)]; }
  float out_at(int64_t row, int64_t i) const { return out[static_cast<size_t>(row * (width + 1) + i)]; }

  int64_t width;
  std::vector<float> a, b, out;
};

TEST(Rows, AddAndSiluMulOverOddWidths) {
  for (const KernelTable* table : runnable_levels()) {
    for (const int64_t width : {1, 7, 8, 9, 31, 64, 1537}) {
      SCOPED_TRACE(std::string(to_string(table->isa)) + ", width " + std::to_string(width));
      Rows rows(width);
      table->add(kNoContext, rows.args(), 0, 2);
      for (int64_t i = 0; i < 2 * width; ++i) {
        ASSERT_EQ(rows.out_at(i / width, i % width),
                  rows.a_at(i / width, i % width) + rows.b_at(i / width, i % width));
      }
      EXPECT_TRUE(std::isnan(rows.out_at(0, width))) << "wrote past the row";
      table->silu_mul(kNoContext, rows.args(), 0, 2);
      for (int64_t i = 0; i < 2 * width; ++i) {
        const double gate = rows.a_at(i / width, i % width);
        const double want = gate / (1 + std::exp(-gate)) * rows.b_at(i / width, i % width);
        ASSERT_NEAR(rows.out_at(i / width, i % width), want, 1e-9 + 4e-7 * std::abs(want));
      }
      EXPECT_TRUE(std::isnan(rows.out_at(0, width))) << "wrote past the row";
    }
  }
}

TEST(Rows, InPlaceGivesTheSameBits) {
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(to_string(table->isa));
    for (const auto kernel : {table->add, table->silu_mul}) {
      Rows apart(77);
      kernel(kNoContext, apart.args(), 0, 2);
      for (const bool into_a : {true, false}) {
        Rows rows(77);
        BinaryArgs args = rows.args();
        args.out = into_a ? rows.a.data() : rows.b.data();
        args.out_stride = into_a ? args.a_stride : args.b_stride;
        kernel(kNoContext, args, 1, 2);
        kernel(kNoContext, args, 0, 1);
        for (int64_t i = 0; i < 2 * 77; ++i) {
          const float got = into_a ? rows.a_at(i / 77, i % 77) : rows.b_at(i / 77, i % 77);
          ASSERT_EQ(std::bit_cast<uint32_t>(got), std::bit_cast<uint32_t>(apart.out_at(i / 77, i % 77)));
        }
      }
    }
  }
}

// All levels state the same operations, so that a level's fused and unfused forms can agree with any
// other's.
TEST(Rows, SiluMulHasTheSameBitsOnAllLevels) {
  const auto levels = runnable_levels();
  Rows first(1000);
  levels.front()->silu_mul(kNoContext, first.args(), 0, 2);
  for (const KernelTable* table : levels) {
    SCOPED_TRACE(to_string(table->isa));
    Rows rows(1000);
    table->silu_mul(kNoContext, rows.args(), 0, 2);
    EXPECT_EQ(std::memcmp(rows.out.data(), first.out.data(), rows.out.size() * sizeof(float)), 0);
  }
}

TEST(Argmax, FindsTheLowestIndexAmongEquals) {
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(to_string(table->isa));
    for (const int64_t count : {1, 2, 7, 8, 9, 33, 100, 1000, 49152}) {
      auto x = random_floats(static_cast<size_t>(count), 3, 10);
      for (const int64_t at : {int64_t{0}, count / 2, count - 1}) {
        auto y = x;
        for (int64_t later = at; later < count; later += 13) y[static_cast<size_t>(later)] = 11;
        ASSERT_EQ(table->argmax(y.data(), count), at) << "of " << count;
      }
    }
  }
}

TEST(Argmax, NanNeverWins) {
  for (const KernelTable* table : runnable_levels()) {
    SCOPED_TRACE(to_string(table->isa));
    const auto argmax = [&](std::vector<float> x) { return table->argmax(x.data(), std::ssize(x)); };
    EXPECT_EQ(argmax({kNan, 1, 2}), 2);
    EXPECT_EQ(argmax({kNan, -kInfinity}), 1);
    EXPECT_EQ(argmax({-kInfinity, -kInfinity, kNan}), 0);
    EXPECT_EQ(argmax({kNan, kNan}), 0);
    EXPECT_EQ(argmax(std::vector<float>(50, kNan)), 0);
    EXPECT_EQ(argmax({1, kInfinity, kNan, kInfinity}), 1);
    EXPECT_EQ(argmax({-0.0F, 0.0F}), 0) << "they are equal";
    std::vector<float> sparse(100, kNan);
    sparse[67] = -5;
    EXPECT_EQ(argmax(sparse), 67);
    EXPECT_EQ(table->argmax(nullptr, 0), 0);
  }
}

TEST(Select, FindsAllFromTheThresholdUpInOrder) {
  for (const KernelTable* table : runnable_levels()) {
    for (const size_t count : {1U, 7U, 8U, 15U, 16U, 17U, 31U, 33U, 64U, 1000U, 49152U}) {
      auto x = random_floats(count, count, 10);
      if (count > 10) x[3] = kNan, x[5] = -kInfinity, x[count - 1] = kInfinity;
      for (const float threshold : {-kInfinity, -11.0F, x[count / 2], 9.5F, kInfinity, kNan}) {
        SCOPED_TRACE(std::string(to_string(table->isa)) + ", " + std::to_string(count) + " from " +
                     std::to_string(threshold));
        std::vector<int32_t> want;
        for (size_t i = 0; i < count; ++i) {
          if (x[i] >= threshold) want.push_back(static_cast<int32_t>(i));
        }
        std::vector<int32_t> got(count + 1, -1);
        const int64_t found = table->select(x.data(), static_cast<int64_t>(count), threshold, got.data());
        ASSERT_EQ(found, std::ssize(want));
        EXPECT_TRUE(std::equal(want.begin(), want.end(), got.begin()));
        EXPECT_EQ(got[count], -1) << "wrote past its room";
      }
    }
  }
}

TEST(MaxSumExp, MatchesDoubleReference) {
  for (const KernelTable* table : runnable_levels()) {
    for (const size_t count : {1U, 5U, 8U, 17U, 1000U, 49152U}) {
      for (const float scale : {1.0F, 0.25F, 1.7F}) {
        SCOPED_TRACE(std::string(to_string(table->isa)) + ", " + std::to_string(count));
        auto x = random_floats(count, count, 30);
        if (count > 10) x[3] = -kInfinity;  // a token that is masked
        double highest = -kInfinity;
        for (const float value : x) highest = std::max(highest, double{value});
        double want = 0;
        for (const float value : x) want += std::exp(double{scale} * (double{value} - highest));
        float maximum = 0;
        double sum = 0;
        table->max_sum_exp(x.data(), static_cast<int64_t>(count), scale, &maximum, &sum);
        EXPECT_EQ(double{maximum}, highest);
        EXPECT_NEAR(sum, want, 1e-6 * want);
      }
    }
  }
}

}  // namespace
}  // namespace quire
