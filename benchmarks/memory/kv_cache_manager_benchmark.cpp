// Slots for the tokens of a decode: one in `block_size` appends takes a block.
#include "memory/kv_cache_manager.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace quire {
namespace {

constexpr int32_t kTokens = 1024;

// An item is one append of one token; with blocks of 1 every one crosses a boundary.
void append_token(benchmark::State& state) {
  const auto block_size = static_cast<int32_t>(state.range(0));
  KvCacheManager memory(kTokens / block_size, block_size);
  std::vector<BlockCopy> copies;
  memory.add(1);
  int32_t tokens = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(memory.append(1, 1, copies));
    if (++tokens < kTokens) continue;
    memory.free(1);
    memory.add(1);
    tokens = 0;
  }
}
BENCHMARK(append_token)->Name("memory/append_token")->ArgName("block")->Arg(16)->Arg(1);

}  // namespace
}  // namespace quire
