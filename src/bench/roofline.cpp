#include "bench/roofline.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int64_t kLineBytes = 64;
constexpr size_t kHugePageBytes = 2 << 20;
using Lane = uint64_t __attribute__((vector_size(16)));

// Eight independent sums keep enough loads in flight; their total keeps the compiler honest.
uint64_t sum_lines(const std::byte* data, int64_t num_lines) {
  std::array<Lane, 8> sums{};
  const auto* lanes = reinterpret_cast<const Lane*>(data);
  for (int64_t line = 0; line + 1 < num_lines; line += 2, lanes += 8) {
    for (size_t i = 0; i < 8; ++i) sums[i] += lanes[i];
  }
  uint64_t total = 0;
  for (const Lane& sum : sums) total += sum[0] + sum[1];
  return total;
}

struct FreeAligned {
  void operator()(std::byte* data) const { std::free(data); }
};

}  // namespace

double read_bandwidth(ThreadPool& pool, int64_t buffer_bytes, int passes, const Clock& clock) {
  const size_t bytes =
      (static_cast<size_t>(buffer_bytes) + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const std::unique_ptr<std::byte, FreeAligned> buffer(
      static_cast<std::byte*>(std::aligned_alloc(kHugePageBytes, bytes)));
  if (!buffer) return 0;
  madvise(buffer.get(), bytes, MADV_HUGEPAGE);  // a hint: without it the figure is a little lower
  const int64_t num_lines = static_cast<int64_t>(bytes) / kLineBytes;
  pool.split(num_lines, 2, [&](int, int64_t begin, int64_t end) {
    std::memset(buffer.get() + begin * kLineBytes, 1, static_cast<size_t>((end - begin) * kLineBytes));
  });

  std::vector<uint64_t> totals(static_cast<size_t>(pool.num_threads()));
  std::vector<double> rates;
  for (int pass = 0; pass < passes; ++pass) {
    const int64_t start_ns = clock.now_ns();
    pool.split(num_lines, 2, [&](int thread, int64_t begin, int64_t end) {
      totals[static_cast<size_t>(thread)] += sum_lines(buffer.get() + begin * kLineBytes, end - begin);
    });
    const auto elapsed_ns = static_cast<double>(std::max<int64_t>(1, clock.now_ns() - start_ns));
    rates.push_back(static_cast<double>(bytes) / elapsed_ns * 1e9);
  }
  for (uint64_t total : totals) asm volatile("" : : "r"(total));
  return percentile(rates, 50);
}

}  // namespace quire
