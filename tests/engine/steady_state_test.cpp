// Steady decoding by the real engine on a small model: once all sequences run, nothing is allocated on the
// engine's threads, whatever the sampling.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/engine_view.h"
#include "engine/llm_engine.h"
#include "runtime/local_executor.h"
#include "tests/runtime/runner_fixture.h"

// Sanitizers bring their own operator new; there the test only runs.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> num_allocations{0};
thread_local bool exempt = false;  // this thread is none of the engine's

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  if (counting.load(std::memory_order_relaxed) && !exempt) num_allocations.fetch_add(1);
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) { return counted(std::malloc(size)); }
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  const auto align = static_cast<size_t>(alignment);
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
#else
namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> num_allocations{0};
thread_local bool exempt = false;

}  // namespace
#endif

namespace quire {
namespace {

constexpr int32_t kMaxTokens = 200;

std::vector<SamplingParams> ways_to_sample() {
  std::vector<SamplingParams> all(6);
  for (SamplingParams& params : all) {
    params.max_tokens = kMaxTokens;
    params.ignore_eos = true;
    params.seed = 5;
  }
  all[0].temperature = 0;
  all[2].top_p = 0.9;
  all[3].top_k = 40;
  all[3].top_p = 0.95;
  all[4].repetition_penalty = 1.1;
  all[4].frequency_penalty = 0.2;
  all[5].logprobs = 0;
  all[5].min_p = 0.02;
  return all;
}

// Looks at the engine time and again until it is told to stop, as a page does that cannot wait.
void look_until(const std::atomic<bool>& stop, LLMEngine& engine) {
  exempt = true;
  const auto view = std::make_shared<EngineView>();
  view->reserve();
  std::binary_semaphore seen{0};
  while (!stop.load()) {
    engine.take_view(view, [&seen] { seen.release(); });
    seen.acquire();
  }
}

int64_t count_allocations_of_decoding(bool looked_at) {
  num_allocations = 0;
  const RandomModelFile file;
  const RunnerSpec spec{.max_tokens = 64, .max_seqs = 8};
  auto runner = open_runner(file.path(), spec);
  EXPECT_NE(runner, nullptr);
  const SystemClock clock;
  MetricsRegistry metrics("");
  LLMEngine engine({.num_blocks = spec.num_blocks,
                    .block_size = spec.block_size,
                    .max_model_len = 256,
                    .max_num_seqs = spec.max_seqs,
                    .max_num_batched_tokens = static_cast<int32_t>(spec.max_tokens)},
                   std::make_unique<LocalExecutor>(std::move(runner)), clock, metrics);
  exempt = true;
  engine.start();

  // All decode from the 10th token of the last one to start on, and none has ended at the 150th of any.
  const auto ways = ways_to_sample();
  std::atomic<int32_t> num_begun{0}, num_left{0};
  std::vector<std::thread> consumers;
  for (const SamplingParams& params : ways) {
    auto stream = engine.submit({5, 6, 7, 8, 9}, params);
    EXPECT_TRUE(stream);
    consumers.emplace_back([&, stream = *stream] {
      exempt = true;
      std::vector<TokenDelta> deltas;
      size_t before = 0;
      for (bool more = true; more;) {
        more = stream->wait(deltas);
        if (before < 10 && deltas.size() >= 10 && ++num_begun == std::ssize(ways)) counting = true;
        if (before < 150 && deltas.size() >= 150 && ++num_left == 1) counting = false;
        before = deltas.size();
      }
      EXPECT_EQ(deltas.size(), static_cast<size_t>(kMaxTokens));
    });
  }
  std::atomic<bool> stop{false};
  std::thread viewer([&] {
    if (looked_at) look_until(stop, engine);
  });
  for (std::thread& consumer : consumers) consumer.join();
  counting = false;
  stop = true;
  viewer.join();
  exempt = false;
  return num_allocations.load();
}

// A consumer that a loaded machine lets fall behind has its deltas kept in a list that grows: that is no
// fault of a step, and does not happen time and again.
int64_t fewest_allocations_of_decoding(bool looked_at) {
  int64_t fewest = count_allocations_of_decoding(looked_at);
  for (int attempt = 1; attempt < 4 && fewest > 0; ++attempt) {
    fewest = std::min(fewest, count_allocations_of_decoding(looked_at));
  }
  return fewest;
}

TEST(SteadyState, DecodingAllocatesNothing) { EXPECT_EQ(fewest_allocations_of_decoding(false), 0); }

TEST(SteadyState, DecodingAllocatesNothingWhileSomebodyLooks) {
  EXPECT_EQ(fewest_allocations_of_decoding(true), 0);
}

}  // namespace
}  // namespace quire
