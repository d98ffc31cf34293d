#include "bench/model_roofline.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "tests/base/temp_folder.h"
#include "weights/random_model.h"

namespace quire {
namespace {

class ModelRoofline : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = folder_.file("model.gguf");
    ThreadPool pool(1);
    ASSERT_TRUE(write_random_model({.architecture = "llama", .layers = 2}, path, pool));
    auto file = GgufFile::open(path);
    ASSERT_TRUE(file);
    EngineConfig config;
    config.model = path;
    config.max_num_seqs = 4;
    auto plan = plan_engine(config, *file, 1 << 30);
    ASSERT_TRUE(plan) << plan.error().message;
    plan_ = std::make_unique<EnginePlan>(std::move(*plan));
  }

  TempFolder folder_;
  std::unique_ptr<EnginePlan> plan_;
};

// hidden 64, 4 heads and 2 KV heads of 16, ff 128, vocabulary 512, two layers.
constexpr double kLayerWeights = 64.0 * (64 + 32 + 32) + 64.0 * 64 + 3 * 64.0 * 128;
constexpr double kHeadWeights = 64.0 * 512;

TEST_F(ModelRoofline, CountsEveryProductOfAStep) {
  const Work decode = step_work(*plan_, 3, 1, 100);
  EXPECT_DOUBLE_EQ(decode.int8_ops, 3 * 2 * (2 * kLayerWeights + kHeadWeights));
  EXPECT_DOUBLE_EQ(decode.f32_ops, 4.0 * 3 * 100 * 4 * 16 * 2);
  const double weights =
      2 * kLayerWeights / 32 * 20 + kHeadWeights / 32 * 34;  // q4_1, and q8_0 for the head
  const double cache = 3.0 * 100 * 2 * 2 * 2 * 16 * 2;       // K and V of two layers in fp16
  EXPECT_DOUBLE_EQ(decode.memory_bytes, weights + cache);
}

TEST_F(ModelRoofline, APromptNeedsOneRowOfLogitsAndHalfOfTheSquare) {
  const Work prefill = step_work(*plan_, 1, 10, 10);
  EXPECT_DOUBLE_EQ(prefill.int8_ops, 2 * (10 * 2 * kLayerWeights + kHeadWeights));
  EXPECT_DOUBLE_EQ(prefill.f32_ops, 4.0 * 55 * 4 * 16 * 2);
}

TEST_F(ModelRoofline, FindsTheDistinctLinears) {
  const KernelShapes shapes = kernel_shapes(*plan_);
  std::vector<std::string> names;
  for (const LinearShape& shape : shapes.linears) names.push_back(shape.name);
  EXPECT_EQ(names, (std::vector<std::string>{"attn_q+attn_k+attn_v", "attn_output", "ffn_gate+ffn_up",
                                             "ffn_down", "token_embd"}));
}

TEST_F(ModelRoofline, KernelsAndAttentionAreTimed) {
  const SystemClock clock;
  ThreadPool pool(2);
  auto peaks = MachinePeaks::create(pool, clock, *plan_->kernels, 32 << 20);
  ASSERT_TRUE(peaks);
  const KernelShapes shapes = kernel_shapes(*plan_);
  auto bench = KernelBench::create(*plan_->kernels, pool, *peaks, clock, shapes);
  ASSERT_TRUE(bench);
  std::map<std::string, int> rows;
  const auto count = [&](const RooflineRow& row) {
    EXPECT_GT(row.seconds, 0) << row.name << " " << row.shape;
    EXPECT_GT(row.work.memory_bytes + row.work.cache_bytes, 0) << row.name << " " << row.shape;
    ++rows[row.name];
  };
  using Rows = std::map<std::string, int>;
  bench->linears(count);
  EXPECT_EQ(std::exchange(rows, {}), (Rows{{"linear q4_1 x int8", 4 * 7}, {"linear q8_0 x int8", 7}}));
  bench->packing(count);
  EXPECT_EQ(std::exchange(rows, {}), (Rows{{"pack f32", 1},
                                           {"pack f16", 1},
                                           {"pack bf16", 1},
                                           {"pack q4_0", 1},
                                           {"pack q4_1", 1},
                                           {"pack q8_0", 1}}));
  bench->row_kernels(count);
  EXPECT_EQ(std::exchange(rows, {}), (Rows{{"rms_norm to int8", 2},
                                           {"rms_norm", 2},
                                           {"quantize", 2},
                                           {"silu_mul", 2},
                                           {"add", 2},
                                           {"embed", 2},
                                           {"argmax", 1},
                                           {"max_sum_exp", 1},
                                           {"select", 1}}));
  ASSERT_TRUE(bench->attention(count));
  EXPECT_EQ(rows, (Rows{{"rope_kv_write f16", 2},
                        {"rope_kv_write int8", 2},
                        {"attention f16", 8},
                        {"attention int8", 8},
                        {"read KV f16", 4},
                        {"read KV int8", 4},
                        {"attention_merge", 1}}));
}

}  // namespace
}  // namespace quire
