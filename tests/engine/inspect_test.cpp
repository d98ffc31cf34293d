#include "engine/inspect.h"

#include <gtest/gtest.h>

#include "tests/runtime/runner_fixture.h"

namespace quire {
namespace {

constexpr int64_t kFree = int64_t{8} << 30;

TEST(Inspect, ShowsTheDefaultModelAndItsPlan) {
  const auto page =
      inspect_model({.model = default_model(), .max_model_len = 1024, .max_num_seqs = 2}, false, kFree);
  ASSERT_TRUE(page) << page.error().message;
  for (const char* text :
       {"llama", "30\n", "width                 576, feed-forward 1536", "9 query, 3 KV, of 64",
        "49152, embeddings tied", "gpt2 / smollm, with a chat template",
        "47185920 bytes  128 blocks of 360.0 KiB", "GGUF v3", "q4_1", "q8_0"}) {
    EXPECT_NE(page->find(text), std::string::npos) << text << " in\n" << *page;
  }
  EXPECT_EQ(page->find("Fused graph"), std::string::npos);
}

TEST(Inspect, PrintsBothGraphs) {
  const RandomModelFile model;
  const auto page = inspect_model({.model = model.path()}, true, kFree);
  ASSERT_TRUE(page) << page.error().message;
  const size_t traced = page->find("Traced graph"), fused = page->find("Fused graph");
  ASSERT_NE(traced, std::string::npos);
  ASSERT_NE(fused, std::string::npos);
  const auto before = page->substr(traced, fused - traced), after = page->substr(fused);
  EXPECT_NE(before.find("kv_read"), std::string::npos);
  EXPECT_NE(after.find("rope_kv_write"), std::string::npos);
  EXPECT_NE(after.find("blk.0.ffn_gate.weight | blk.0.ffn_up.weight"), std::string::npos) << after;
}

TEST(Inspect, WarnsOfAPoolThatDoesNotFit) {
  const RandomModelFile model;
  const EngineConfig config{.model = model.path(), .kv_cache_memory_bytes = 64 << 20};
  const auto fits = inspect_model(config, false, kFree);
  ASSERT_TRUE(fits) << fits.error().message;
  EXPECT_EQ(fits->find("warning"), std::string::npos) << *fits;
  const auto page = inspect_model(config, false, 32 << 20);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_NE(page->find("KV pool           64.0 MiB       67108864 bytes  16384 blocks"), std::string::npos)
      << *page;
  EXPECT_NE(page->find("warning               32.0 MiB of memory are free"), std::string::npos) << *page;
}

TEST(Inspect, AMissingFileIsAClearError) {
  const auto page = inspect_model({.model = "/nowhere/model.gguf"}, false, kFree);
  ASSERT_FALSE(page);
  EXPECT_NE(page.error().message.find("/nowhere/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace quire
