// Hash and look-up of a block of 16 tokens: found, not found, and kept as a new one in place of the one idle
// for longest.
#include "memory/prefix_cache.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace quire {
namespace {

constexpr int32_t kBlockTokens = 16;
constexpr int32_t kPrefixBlocks = 64;

// A pool full of prefixes of 64 blocks each.
class FullCache {
 public:
  explicit FullCache(int32_t num_blocks)
      : num_blocks_(num_blocks),
        cache_(num_blocks, kBlockTokens, std::make_unique<Blake2Hasher>(Blake2Hasher::Secret{})),
        scope_(cache_.open({})) {
    for (BlockId block = 0; block < num_blocks; ++block) insert(block, block / kPrefixBlocks);
    for (BlockId block = num_blocks - 1; block >= 0; --block) cache_.make_idle(block);
  }

  // The block after the last one inserted, of prefix `prefix`.
  void insert(BlockId block, int32_t prefix) {
    fill(prefix, count_ % kPrefixBlocks);
    if (count_++ % kPrefixBlocks == 0) {
      cache_.insert_first(block, scope_, cache_.digest(cache_.root(scope_), tokens_), tokens_);
    } else {
      cache_.insert_after(last_, block, cache_.digest(cache_.node(last_), tokens_), tokens_);
    }
    last_ = block;
  }

  // Blocks of the prefix that are found, from its first one on.
  int32_t find(int32_t prefix) {
    PrefixNode parent = cache_.root(scope_);
    for (int32_t i = 0; i < kPrefixBlocks; ++i) {
      fill(prefix, i);
      const BlockId block = cache_.find(parent, cache_.digest(parent, tokens_), tokens_);
      if (block == kNoBlock) return i;
      parent = cache_.node(block);
    }
    return kPrefixBlocks;
  }

  PrefixCache& cache() { return cache_; }
  int32_t num_prefixes() const { return num_blocks_ / kPrefixBlocks; }

 private:
  void fill(int32_t prefix, int32_t index) {
    for (int32_t i = 0; i < kBlockTokens; ++i) tokens_[static_cast<size_t>(i)] = prefix * 131 + index + i;
  }

  const int32_t num_blocks_;
  PrefixCache cache_;
  const ScopeId scope_;
  std::vector<TokenId> tokens_ = std::vector<TokenId>(kBlockTokens);
  BlockId last_ = kNoBlock;
  int64_t count_ = 0;
};

void find_block(benchmark::State& state) {
  FullCache full(static_cast<int32_t>(state.range(0)));
  int64_t found = 0;
  int32_t prefix = 0;
  for (auto _ : state) {
    found += full.find(prefix);
    prefix = (prefix + 7919) % full.num_prefixes();
  }
  state.counters["time_per_block"] = benchmark::Counter(
      static_cast<double>(found), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(find_block)->Name("memory/prefix_hit")->Arg(1 << 10)->Arg(1 << 17);

void miss_block(benchmark::State& state) {
  FullCache full(static_cast<int32_t>(state.range(0)));
  int32_t prefix = 1 << 20;
  for (auto _ : state) benchmark::DoNotOptimize(full.find(prefix++));
}
BENCHMARK(miss_block)->Name("memory/prefix_miss")->Arg(1 << 10)->Arg(1 << 17);

void replace_block(benchmark::State& state) {
  FullCache full(static_cast<int32_t>(state.range(0)));
  BlockId before = kNoBlock;
  int64_t count = 0;
  for (auto _ : state) {
    const BlockId block = full.cache().evict();
    full.insert(block, static_cast<int32_t>((1 << 20) + count++ / kPrefixBlocks));
    if (before != kNoBlock) full.cache().make_idle(before);
    before = block;
  }
}
BENCHMARK(replace_block)->Name("memory/prefix_replace")->Arg(1 << 17);

}  // namespace
}  // namespace quire
