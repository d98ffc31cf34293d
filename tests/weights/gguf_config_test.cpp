#include "weights/gguf_config.h"

#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "base/thread_pool.h"
#include "tests/weights/gguf_fixture.h"
#include "weights/gguf_writer.h"

namespace quire {
namespace {

constexpr const char* kRealModel = QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf";

TEST(GgufConfig, TheDefaultModel) {
  const auto file = GgufFile::open(kRealModel);
  ASSERT_TRUE(file) << file.error().message << " (script/setup fetches the default model)";
  const auto config = read_model_config(*file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->architecture, "llama");
  EXPECT_EQ(config->num_layers, 30);
  EXPECT_EQ(config->hidden_size, 576);
  EXPECT_EQ(config->intermediate_size, 1536);
  EXPECT_EQ(config->num_heads, 9);
  EXPECT_EQ(config->num_kv_heads, 3);
  EXPECT_EQ(config->head_dim, 64);
  EXPECT_EQ(config->vocab_size, 49152);
  EXPECT_EQ(config->context_length, 8192);
  EXPECT_FLOAT_EQ(config->norm_epsilon, 1e-5F);
  EXPECT_EQ(config->rope_base, 100000.0F);
  EXPECT_EQ(config->rope_scale, 1.0F);
  EXPECT_EQ(config->rope_dim, 64);
  EXPECT_TRUE(config->tied_embeddings);
  ASSERT_EQ(config->kv_groups.size(), 1U);
  EXPECT_EQ(config->kv_groups[0].num_kv_heads, 3);
  EXPECT_EQ(config->kv_groups[0].head_dim, 64);
  std::vector<int32_t> layers(30);
  std::iota(layers.begin(), layers.end(), 0);
  EXPECT_EQ(config->kv_groups[0].layers, layers);
}

TEST(GgufConfig, TheDefaultModelsTokenizer) {
  const auto file = GgufFile::open(kRealModel);
  ASSERT_TRUE(file) << file.error().message;
  const auto spec = read_tokenizer_spec(*file);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->model, "gpt2");
  EXPECT_EQ(spec->pre_tokenizer, "smollm");
  ASSERT_EQ(spec->tokens.size(), 49152U);
  EXPECT_EQ(spec->tokens[2], "<|im_end|>");
  EXPECT_EQ(spec->tokens[17], "!");
  EXPECT_EQ(spec->tokens[49151], "ectable");
  EXPECT_EQ(spec->types[2], TokenType::kControl);
  EXPECT_EQ(spec->types[17], TokenType::kNormal);
  ASSERT_EQ(spec->merges.size(), 48900U);
  EXPECT_EQ(spec->merges[2], "i n");
  EXPECT_EQ(spec->bos, 1);
  EXPECT_EQ(spec->eos, 2);
  EXPECT_EQ(spec->unknown, 0);
  EXPECT_EQ(spec->padding, 2);
  EXPECT_FALSE(spec->eot);
  EXPECT_FALSE(spec->add_bos);
  EXPECT_TRUE(spec->chat_template.starts_with("{% for message in messages %}"));
}

// A small model file made of keys that tests change, drop or add to.
class GgufConfigTest : public testing::Test {
 protected:
  using AddKey = std::function<void(GgufWriter&, const std::string&)>;
  static AddKey u32(uint32_t value) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_u32(key, value); };
  }
  static AddKey f32(float value) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_f32(key, value); };
  }
  static AddKey text(std::string value) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_string(key, value); };
  }
  static AddKey boolean(bool value) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_bool(key, value); };
  }
  static AddKey ids(std::vector<int32_t> values) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_i32s(key, values); };
  }
  static AddKey texts(std::vector<std::string> values) {
    return [=](GgufWriter& writer, const std::string& key) { writer.add_strings(key, values); };
  }

  GgufFile file() {
    GgufWriter writer;
    for (const auto& [key, add] : keys_) {
      if (add) add(writer, key);
    }
    if (embedding_cols_ > 0)
      writer.add_tensor("token_embd.weight", DType::kF32, embedding_cols_, embedding_rows_);
    if (untied_) writer.add_tensor("output.weight", DType::kF32, embedding_cols_, embedding_rows_);
    const auto ones = [](size_t, int64_t, int64_t, std::span<std::byte> out) -> Expected<> {
      std::ranges::fill(out, std::byte{1});
      return {};
    };
    EXPECT_TRUE(writer.write(folder_.file("a.gguf"), ones));
    auto opened = GgufFile::open(folder_.file("a.gguf"));
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  Expected<ModelConfig> config() { return read_model_config(file()); }
  Expected<TokenizerSpec> tokenizer() { return read_tokenizer_spec(file()); }

  // The error that comes when `key` is `add` (null: missing), and everything else is in order.
  Expected<ModelConfig> config_with(const std::string& key, AddKey add) {
    const auto kept = keys_;
    keys_[key] = std::move(add);
    auto result = config();
    keys_ = kept;
    return result;
  }
  Expected<TokenizerSpec> tokenizer_with(const std::string& key, AddKey add) {
    const auto kept = keys_;
    keys_[key] = std::move(add);
    auto result = tokenizer();
    keys_ = kept;
    return result;
  }

  TempFolder folder_;
  int64_t embedding_cols_ = 48, embedding_rows_ = 4;
  bool untied_ = false;
  std::map<std::string, AddKey> keys_{
      {"general.architecture", text("arch")},
      {"arch.block_count", u32(3)},
      {"arch.context_length", u32(128)},
      {"arch.embedding_length", u32(48)},
      {"arch.feed_forward_length", u32(96)},
      {"arch.attention.head_count", u32(6)},
      {"arch.attention.layer_norm_rms_epsilon", f32(1e-6F)},
      {"tokenizer.ggml.model", text("gpt2")},
      {"tokenizer.ggml.tokens", texts({"a", "b", "c", "d"})},
  };
};

TEST_F(GgufConfigTest, DefaultsOfWhatIsNotSaid) {
  const auto read = config();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->num_kv_heads, 6);
  EXPECT_EQ(read->head_dim, 8);
  EXPECT_EQ(read->rope_dim, 8);
  EXPECT_EQ(read->rope_base, 10000.0F);
  EXPECT_EQ(read->rope_scale, 1.0F);
  EXPECT_EQ(read->vocab_size, 4);
  EXPECT_EQ(read->name, "");
  EXPECT_TRUE(read->tied_embeddings);
  untied_ = true;
  EXPECT_FALSE(config()->tied_embeddings);
}

TEST_F(GgufConfigTest, HeadsMayHaveASizeOfTheirOwn) {
  keys_["arch.attention.key_length"] = u32(32);
  keys_["arch.attention.value_length"] = u32(32);
  keys_["arch.attention.head_count"] = u32(7);  // does not divide 48, and need not
  keys_["arch.rope.dimension_count"] = u32(16);
  const auto read = config();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->head_dim, 32);
  EXPECT_EQ(read->rope_dim, 16);
}

TEST_F(GgufConfigTest, LinearScalingOfPositions) {
  keys_["arch.rope.scaling.factor"] = f32(4);
  EXPECT_EQ(config()->rope_scale, 0.25F);
  keys_["arch.rope.scaling.type"] = text("linear");
  EXPECT_EQ(config()->rope_scale, 0.25F);
  keys_["arch.rope.scaling.type"] = text("none");
  EXPECT_EQ(config()->rope_scale, 1.0F);
  expect_error(config_with("arch.rope.scaling.type", text("yarn")), ErrorCode::kUnsupported, "'yarn'");
}

TEST_F(GgufConfigTest, EveryKeyIsCheckedAtItsBounds) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto refuse = [&](const char* key, AddKey add, ErrorCode code = ErrorCode::kCorrupt) {
    expect_error(config_with(key, std::move(add)), code, "");
  };
  for (const char* key :
       {"arch.block_count", "arch.context_length", "arch.embedding_length", "arch.feed_forward_length",
        "arch.attention.head_count", "arch.attention.head_count_kv", "arch.attention.key_length",
        "arch.vocab_size", "arch.rope.dimension_count"}) {
    refuse(key, u32(0));
    refuse(key, u32(~0U));
    refuse(key, text("4"));
    refuse(key, f32(4));
    refuse(key, ids({4, 4, 4}), ErrorCode::kUnsupported);
  }
  for (const char* key :
       {"general.architecture", "arch.block_count", "arch.context_length", "arch.embedding_length",
        "arch.feed_forward_length", "arch.attention.head_count", "arch.attention.layer_norm_rms_epsilon"}) {
    refuse(key, nullptr);
  }
  EXPECT_TRUE(config_with("arch.block_count", u32(1024)));
  refuse("arch.block_count", u32(1025));
  EXPECT_TRUE(config_with("arch.context_length", u32(1 << 24)));
  refuse("arch.context_length", u32((1 << 24) + 1));
  for (const float epsilon : {0.0F, -1e-5F, kNan, std::numeric_limits<float>::infinity(), 2.0F}) {
    refuse("arch.attention.layer_norm_rms_epsilon", f32(epsilon));
  }
  for (const float base : {0.0F, -1.0F, kNan, std::numeric_limits<float>::infinity()}) {
    refuse("arch.rope.freq_base", f32(base));
  }
  for (const float factor : {0.0F, -1.0F, kNan}) refuse("arch.rope.scaling.factor", f32(factor));
}

TEST_F(GgufConfigTest, ShapesThatDoNotFitTogether) {
  expect_error(config_with("arch.attention.head_count_kv", u32(4)), ErrorCode::kCorrupt,
               "6 heads cannot share 4");
  expect_error(config_with("arch.attention.head_count", u32(5)), ErrorCode::kCorrupt,
               "cannot be split into 5 heads");
  expect_error(config_with("arch.attention.key_length", u32(9)), ErrorCode::kCorrupt, "must be even");
  expect_error(config_with("arch.attention.head_count", u32(16)), ErrorCode::kCorrupt, "must be even");
  expect_error(config_with("arch.attention.value_length", u32(4)), ErrorCode::kUnsupported,
               "values of 4 dimensions");
  expect_error(config_with("arch.rope.dimension_count", u32(10)), ErrorCode::kCorrupt, "must be 2 to 8");
  expect_error(config_with("arch.rope.dimension_count", u32(3)), ErrorCode::kCorrupt, "must be even");
  expect_error(config_with("arch.vocab_size", u32(5)), ErrorCode::kCorrupt,
               "4 by its embeddings, 4 by the list of tokens and 5");
  expect_error(config_with("tokenizer.ggml.tokens", texts({"a"})), ErrorCode::kCorrupt,
               "1 by the list of tokens");
  embedding_cols_ = 40;
  expect_error(config(), ErrorCode::kCorrupt,
               "'token_embd.weight' has the shape [40, 4], but the model's width is 48");
  embedding_cols_ = 0;
  expect_error(config(), ErrorCode::kCorrupt, "no tensor 'token_embd.weight'");
}

TEST_F(GgufConfigTest, RefusesWhatItWouldHaveToIgnore) {
  expect_error(config_with("arch.expert_count", u32(8)), ErrorCode::kUnsupported, "mixture of 8 experts");
  expect_error(config_with("arch.attention.sliding_window", u32(64)), ErrorCode::kUnsupported,
               "window of 64");
  expect_error(config_with("arch.attention.causal", boolean(false)), ErrorCode::kUnsupported, "not causal");
  EXPECT_TRUE(config_with("arch.expert_count", u32(0)));
  EXPECT_TRUE(config_with("arch.attention.sliding_window", u32(128)));  // as long as the context
  EXPECT_TRUE(config_with("arch.attention.causal", boolean(true)));
}

TEST_F(GgufConfigTest, ErrorsNameTheFile) {
  expect_error(config_with("arch.block_count", nullptr), ErrorCode::kCorrupt, folder_.file("a.gguf"));
  expect_error(config_with("arch.block_count", nullptr), ErrorCode::kCorrupt, "no key 'arch.block_count'");
}

TEST_F(GgufConfigTest, TokenizersDefaults) {
  const auto spec = tokenizer();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->types, std::vector<TokenType>(4, TokenType::kNormal));
  EXPECT_TRUE(spec->merges.empty());
  EXPECT_FALSE(spec->bos || spec->eos || spec->unknown || spec->padding);
  EXPECT_FALSE(spec->add_bos);
  EXPECT_EQ(spec->chat_template, "");
}

TEST_F(GgufConfigTest, TokenizersListsMustMatch) {
  expect_error(tokenizer_with("tokenizer.ggml.token_type", ids({1, 1, 1})), ErrorCode::kCorrupt,
               "3 token types for 4 tokens");
  expect_error(tokenizer_with("tokenizer.ggml.token_type", ids({1, 1, 0, 1})), ErrorCode::kCorrupt,
               "element 2 is 0");
  expect_error(tokenizer_with("tokenizer.ggml.token_type", ids({1, 1, 1, 7})), ErrorCode::kCorrupt,
               "element 3 is 7");
  expect_error(tokenizer_with("tokenizer.ggml.tokens", nullptr), ErrorCode::kCorrupt,
               "tokenizer.ggml.tokens");
  expect_error(tokenizer_with("tokenizer.ggml.tokens", texts({})), ErrorCode::kCorrupt, "0 tokens");
  expect_error(tokenizer_with("tokenizer.ggml.model", nullptr), ErrorCode::kCorrupt,
               "tokenizer.ggml.model");
  expect_error(tokenizer_with("tokenizer.ggml.merges", ids({1})), ErrorCode::kCorrupt,
               "should be an array of strings");
  for (const char* key : {"bos", "eos", "eot", "eom", "unknown", "padding"}) {
    const std::string name = fmt::format("tokenizer.ggml.{}_token_id", key);
    EXPECT_TRUE(tokenizer_with(name, u32(3)));
    expect_error(tokenizer_with(name, u32(4)), ErrorCode::kCorrupt, name);
    expect_error(tokenizer_with(name, u32(~0U)), ErrorCode::kCorrupt, name);
  }
}

}  // namespace
}  // namespace quire
