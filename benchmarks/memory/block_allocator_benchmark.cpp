// One block taken and given back.
#include "memory/block_allocator.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

namespace quire {
namespace {

void allocate_release(benchmark::State& state) {
  BlockAllocator allocator(static_cast<int32_t>(state.range(0)));
  for (auto _ : state) {
    const BlockId block = allocator.allocate();
    benchmark::DoNotOptimize(allocator.release(block));
  }
}
BENCHMARK(allocate_release)->Name("memory/allocate_release")->Arg(1000)->Arg(1000000);

// A pool in use: its free list is in no order, and what is given back was taken long ago. An item is one of
// each.
void allocate_release_scattered(benchmark::State& state) {
  const auto num_blocks = static_cast<int32_t>(state.range(0));
  BlockAllocator allocator(num_blocks);
  std::vector<BlockId> taken;
  for (int32_t i = 0; i < num_blocks / 2; ++i) taken.push_back(allocator.allocate());
  std::ranges::shuffle(taken, std::mt19937(7));
  size_t next = 0;
  for (auto _ : state) {
    allocator.release(taken[next]);
    taken[next] = allocator.allocate();
    next = next + 1 == taken.size() ? 0 : next + 1;
  }
}
BENCHMARK(allocate_release_scattered)->Name("memory/allocate_release_scattered")->Arg(100000);

}  // namespace
}  // namespace quire
