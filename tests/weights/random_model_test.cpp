#include "weights/random_model.h"

#include <cmath>
#include <set>

#include "tests/weights/gguf_fixture.h"
#include "weights/gguf_config.h"
#include "weights/quantize.h"

namespace quire {
namespace {

RandomModelSpec small_spec() {
  RandomModelSpec spec;
  spec.architecture = "test";
  return spec;
}

GgufFile make(const RandomModelSpec& spec, const TempFolder& folder, int threads = 1) {
  ThreadPool pool(threads);
  const auto written = write_random_model(spec, folder.file("m.gguf"), pool);
  EXPECT_TRUE(written) << written.error().message;
  auto file = GgufFile::open(folder.file("m.gguf"));
  EXPECT_TRUE(file) << file.error().message;
  return std::move(*file);
}

TEST(RandomModel, IsAValidModelOfTheShapeAskedFor) {
  const TempFolder folder;
  RandomModelSpec spec = small_spec();
  spec.head_dim = 32;  // 4 heads of 32 in a width of 64
  spec.tied = false;
  spec.qkv_bias = true;
  spec.rope_base = 50000;
  const GgufFile file = make(spec, folder);
  const auto config = read_model_config(file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->architecture, "test");
  EXPECT_EQ(config->num_layers, 2);
  EXPECT_EQ(config->head_dim, 32);
  EXPECT_EQ(config->rope_base, 50000.0F);
  EXPECT_EQ(config->vocab_size, 512);
  EXPECT_FALSE(config->tied_embeddings);
  EXPECT_EQ(format_dims(*file.find_tensor("blk.1.attn_q.weight")), "[64, 128]");
  EXPECT_EQ(format_dims(*file.find_tensor("blk.1.attn_k.weight")), "[64, 64]");
  EXPECT_EQ(format_dims(*file.find_tensor("blk.1.attn_output.weight")), "[128, 64]");
  EXPECT_EQ(format_dims(*file.find_tensor("blk.0.ffn_down.weight")), "[128, 64]");
  EXPECT_EQ(format_dims(*file.find_tensor("blk.0.attn_q.bias")), "[128]");
  EXPECT_EQ(format_dims(*file.find_tensor("output.weight")), "[64, 512]");
  EXPECT_EQ(file.tensors().size(), 3 + 2 * 12U);
}

TEST(RandomModel, TheSameSpecGivesTheSameFile) {
  const TempFolder folder;
  RandomModelSpec spec = small_spec();
  make(spec, folder, 1);
  const std::string first = read_bytes(folder.file("m.gguf"));
  make(spec, folder, 3);
  EXPECT_EQ(read_bytes(folder.file("m.gguf")), first);
  spec.seed = 2;
  make(spec, folder, 1);
  const std::string other = read_bytes(folder.file("m.gguf"));
  EXPECT_EQ(other.size(), first.size());
  EXPECT_NE(other, first);
}

TEST(RandomModel, WeightsKeepActivationsNearOne) {
  const TempFolder folder;
  RandomModelSpec spec = small_spec();
  spec.hidden = 512;
  spec.matrix_dtype = DType::kF32;
  const GgufFile file = make(spec, folder);
  const GgufTensor* tensor = file.find_tensor("blk.0.ffn_up.weight");
  ASSERT_NE(tensor, nullptr);
  std::vector<float> values(tensor->bytes.size() / 4);
  dequantize_row(tensor->dtype, tensor->bytes, values);
  double sum = 0, squares = 0;
  for (const float value : values) sum += value, squares += static_cast<double>(value) * value;
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(sum / count, 0, 1e-3);
  EXPECT_NEAR(std::sqrt(squares / count * 512), 1, 0.02);
}

TEST(RandomModel, TokenizerCoversEveryByteOnce) {
  const TempFolder folder;
  const auto spec = read_tokenizer_spec(make(small_spec(), folder));
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->tokens.size(), 512U);
  EXPECT_EQ(std::set<std::string>(spec->tokens.begin(), spec->tokens.end()).size(), 512U);
  EXPECT_EQ(spec->tokens[2], "<|im_end|>");
  EXPECT_EQ(spec->eos, 2);
  EXPECT_EQ(spec->tokens[3 + 'A'], "A");
  EXPECT_EQ(spec->tokens[3 + ' '], "\u0120");
  EXPECT_EQ(spec->tokens[3 + '\n'], "\u010a");
  EXPECT_EQ(spec->tokens[3 + 0xFF], "\u00ff");
  EXPECT_EQ(spec->tokens[3 + 0xAD], "\u0143");
  EXPECT_NE(spec->chat_template.find("<|im_start|>"), std::string::npos);
  const std::set<std::string> tokens(spec->tokens.begin(), spec->tokens.end());
  for (const std::string& merge : spec->merges) {
    const size_t space = merge.find(' ');
    ASSERT_NE(space, std::string::npos);
    EXPECT_TRUE(tokens.contains(merge.substr(0, space)) && tokens.contains(merge.substr(space + 1)))
        << merge;
    EXPECT_TRUE(tokens.contains(merge.substr(0, space) + merge.substr(space + 1))) << merge;
  }
}

TEST(RandomModel, EveryTypeOfWeight) {
  const TempFolder folder;
  for (int i = 0; i < kNumDTypes; ++i) {
    RandomModelSpec spec = small_spec();
    spec.matrix_dtype = spec.embedding_dtype = static_cast<DType>(i);
    const GgufFile file = make(spec, folder);
    EXPECT_EQ(file.find_tensor("blk.0.attn_q.weight")->dtype, spec.matrix_dtype);
    EXPECT_TRUE(read_model_config(file));
  }
}

TEST(RandomModel, RefusesShapesThatNoModelHas) {
  ThreadPool pool(1);
  const TempFolder folder;
  const auto refuse = [&](auto change, std::string_view part) {
    RandomModelSpec spec = small_spec();
    change(spec);
    expect_error(write_random_model(spec, folder.file("m.gguf"), pool), ErrorCode::kInvalidArgument, part);
    EXPECT_FALSE(std::filesystem::exists(folder.file("m.gguf")));
  };
  refuse([](auto& spec) { spec.architecture = ""; }, "architecture");
  refuse([](auto& spec) { spec.layers = 0; }, "at least 1");
  refuse([](auto& spec) { spec.kv_heads = 3; }, "3 key-value heads");
  refuse([](auto& spec) { spec.vocab = 100; }, "vocabulary of at least 275");
  refuse([](auto& spec) { spec.hidden = 40; }, "multiples of 32");
  refuse([](auto& spec) { spec.ff = 100; }, "multiples of 32");
}

}  // namespace
}  // namespace quire
