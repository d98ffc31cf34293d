#include "config/engine_config.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>
#include <vector>

namespace quire {
namespace {

constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();

using Change = std::function<void(EngineConfig&)>;

void accepts(const Change& change) {
  EngineConfig config;
  change(config);
  const auto result = validate(config);
  EXPECT_TRUE(result) << result.error().message;
}

void refuses(const char* field, const Change& change) {
  EngineConfig config;
  change(config);
  const auto result = validate(config);
  ASSERT_FALSE(result) << field;
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().param, field);
}

void check_range(const char* field, int32_t EngineConfig::*member, std::vector<int32_t> good,
                 std::vector<int32_t> bad) {
  for (const int32_t value : good) accepts([&](auto& config) { config.*member = value; });
  for (const int32_t value : bad) refuses(field, [&](auto& config) { config.*member = value; });
}

TEST(EngineConfig, DefaultsAreValid) {
  accepts([](auto&) {});
}

TEST(EngineConfig, NumbersAtAndBeyondTheirBounds) {
  check_range("max_model_len", &EngineConfig::max_model_len, {0, 1, kMaxInt}, {-1});
  check_range("max_num_seqs", &EngineConfig::max_num_seqs, {1, 16384}, {0, -1, 16385, kMaxInt});
  check_range("max_num_batched_tokens", &EngineConfig::max_num_batched_tokens, {1, 1 << 20},
              {0, -1, (1 << 20) + 1});
  check_range("threads", &EngineConfig::threads, {0, 1, 1024}, {-1, 1025});
  check_range("max_queue", &EngineConfig::max_queue, {1, 1 << 20}, {0, -1, (1 << 20) + 1});
}

TEST(EngineConfig, BlocksArePowersOfTwo) {
  check_range("block_size", &EngineConfig::block_size, {8, 16, 32, 64, 128},
              {0, -16, 1, 4, 7, 9, 24, 127, 129, 256, kMaxInt});
}

TEST(EngineConfig, MemoryOfTheCache) {
  accepts([](auto& config) { config.kv_cache_memory_bytes = 1; });
  accepts([](auto& config) { config.kv_cache_memory_bytes = int64_t{1} << 50; });
  for (const int64_t bytes : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    refuses("kv_cache_memory_bytes", [&](auto& config) { config.kv_cache_memory_bytes = bytes; });
  }
}

TEST(EngineConfig, SwapSpace) {
  for (const double gib : {0.0, 0.25, 4.0, 0x1.0p20})
    accepts([&](auto& config) { config.swap_space = gib; });
  for (const double gib : {-1.0, -0.001, 0x1.1p20, std::numeric_limits<double>::quiet_NaN()}) {
    refuses("swap_space", [&](auto& config) { config.swap_space = gib; });
  }
  for (const char* dir : {"", "/tmp", "a folder"}) accepts([&](auto& config) { config.swap_dir = dir; });
  for (const char* mode : {"auto", "swap", "recompute"}) {
    accepts([&](auto& config) { config.preemption_mode = mode; });
  }
  for (const char* mode : {"", "drop", "swap|auto"}) {
    refuses("preemption_mode", [&](auto& config) { config.preemption_mode = mode; });
  }
  check_range("expected_output_tokens", &EngineConfig::expected_output_tokens, {0, 1, kMaxInt}, {-1});
}

TEST(EngineConfig, Choices) {
  for (const char* dtype : {"auto", "fp32", "fp16", "bf16", "int8"})
    accepts([&](auto& config) { config.kv_cache_dtype = dtype; });
  for (const char* dtype : {"", "fp8", "FP16", "auto|fp32", "fp", "|"}) {
    refuses("kv_cache_dtype", [&](auto& config) { config.kv_cache_dtype = dtype; });
  }
  for (const char* activations : {"int8", "fp32"})
    accepts([&](auto& config) { config.activations = activations; });
  for (const char* activations : {"", "fp16", "int8|fp32"}) {
    refuses("activations", [&](auto& config) { config.activations = activations; });
  }
}

TEST(EngineConfig, AnySeedIsLegal) {
  for (const int64_t seed :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    accepts([&](auto& config) { config.seed = seed; });
  }
}

TEST(EngineConfig, FieldsHaveNamesAndHelp) {
  std::set<std::string_view> names;
  for (const auto& field : engine_fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_TRUE(field.alias.empty() || names.insert(field.alias).second) << field.alias;
    EXPECT_FALSE(field.help.empty()) << field.name;
    EXPECT_EQ(field.name.find('-'), std::string_view::npos) << field.name;
  }
}

}  // namespace
}  // namespace quire
