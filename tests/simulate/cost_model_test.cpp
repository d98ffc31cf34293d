#include "simulate/cost_model.h"

#include <gtest/gtest.h>

namespace quire {
namespace {

TEST(CostModel, CountsTheWorkOfAStep) {
  StepInput input;
  input.work = {{.slot = 0, .first_position = 99, .num_tokens = 1},
                {.slot = 1, .first_position = 10, .num_tokens = 4}};
  input.samples = {{.row = 0, .slot = 0}, {.row = 1, .slot = 1}, {.row = 1, .slot = 2}};
  input.copies.resize(2);
  const StepWork work = work_of(input);
  EXPECT_EQ(work.tokens, 5);
  EXPECT_EQ(work.samples, 3);
  EXPECT_EQ(work.context, 100);
  EXPECT_EQ(work.pairs, 11 + 12 + 13 + 14);
  EXPECT_EQ(work.copies, 2);
}

TEST(CostModel, TokensCostWhatThePointsSay) {
  const CostModel model{.name = "", .source = "", .points = {{2, 1.0}, {4, 2.0}, {10, 8.0}}};
  const auto seconds = [&](int64_t tokens) { return model.seconds({.tokens = tokens}); };
  EXPECT_DOUBLE_EQ(seconds(1), 1);
  EXPECT_DOUBLE_EQ(seconds(2), 1);
  EXPECT_DOUBLE_EQ(seconds(3), 1.5);
  EXPECT_DOUBLE_EQ(seconds(4), 2);
  EXPECT_DOUBLE_EQ(seconds(7), 5);
  EXPECT_DOUBLE_EQ(seconds(20), 18) << "beyond the last point as before it";
}

TEST(CostModel, EveryUnitOfWorkAddsItsPart) {
  const CostModel model{.name = "",
                        .source = "",
                        .points = {{1, 1.0}},
                        .sample_s = 10,
                        .context_s = 100,
                        .pair_s = 1000,
                        .copy_s = 10000};
  EXPECT_DOUBLE_EQ(model.seconds({.tokens = 50, .samples = 2, .context = 3, .pairs = 4, .copies = 5}),
                   54321);
}

// One step of 26 GB at 80% of 1.555 TB/s, and 800 KB of keys and values for each token.
TEST(CostModel, AnAcceleratorIsBoundByMemoryThenByArithmetic) {
  const CostModel model = opt_13b_on_a100(16);
  EXPECT_NEAR(model.seconds({.tokens = 1}), 20.9e-3, 0.1e-3);
  EXPECT_NEAR(model.seconds({.tokens = 100}), 20.9e-3, 0.1e-3);
  EXPECT_NEAR(model.seconds({.tokens = 2048}), 2048 * 2 * 13e9 / 156e12, 1e-6);
  EXPECT_NEAR(model.seconds({.tokens = 1, .context = 1000}) - model.seconds({.tokens = 1}), 0.66e-3,
              0.01e-3);
}

}  // namespace
}  // namespace quire
