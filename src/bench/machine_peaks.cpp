#include "bench/machine_peaks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int64_t kLineBytes = 64;
constexpr int64_t kSampleBytes = 8 << 20;  // read by each thread: some hundred microseconds
using Lane = uint64_t __attribute__((vector_size(16)));

// Fetched ahead as the kernels do, for the hardware's own prefetching reads slower.
constexpr int64_t kAheadBytes = 2048;

void append(std::vector<PeakProbe>& probes, const PeakProbeList& list) {
  probes.insert(probes.end(), list.probes, list.probes + list.count);
}

std::vector<PeakProbe> probes_up_to(Isa isa) {
  std::vector<PeakProbe> probes;
  append(probes, peak_probes_scalar());
  if (isa >= Isa::kAvx2) append(probes, peak_probes_avx2());
  if (isa >= Isa::kAvx512) append(probes, peak_probes_avx512());
  if (isa >= Isa::kVnni) append(probes, peak_probes_vnni());
  if (isa >= Isa::kAmx) append(probes, peak_probes_amx());
  return probes;
}

template <class Sample>
double median_of(int count, Sample sample) {
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) samples.push_back(sample());
  return percentile(samples, 50);
}

}  // namespace

// Eight independent sums keep enough loads in flight.
void read_lines(const std::byte* data, const std::byte* ahead, int64_t num_lines) {
  std::array<Lane, 8> sums{};
  const auto* lanes = reinterpret_cast<const Lane*>(data);
  for (int64_t line = 0; line + 1 < num_lines; line += 2, lanes += 8, ahead += 2 * kLineBytes) {
    __builtin_prefetch(ahead, 0, 3);
    __builtin_prefetch(ahead + kLineBytes, 0, 3);
    for (size_t i = 0; i < 8; ++i) sums[i] += lanes[i];
  }
  uint64_t total = 0;
  for (const Lane& sum : sums) total += sum[0] + sum[1];
  asm volatile("" : : "r"(total));
}

Expected<MachinePeaks> MachinePeaks::create(ThreadPool& pool, const Clock& clock, const KernelTable& table,
                                            int64_t buffer_bytes) {
  auto buffer = Arena::create(round_up(buffer_bytes, kSampleBytes * pool.num_threads()));
  if (!buffer) return std::unexpected(buffer.error());
  pool.split(buffer->size(), kSampleBytes, [&](int, int64_t begin, int64_t end) {
    std::memset(buffer->data() + begin, 1, static_cast<size_t>(end - begin));
  });
  return MachinePeaks(pool, clock, probes_up_to(table.isa), std::move(*buffer));
}

double MachinePeaks::sample_bandwidth() {
  const int64_t bytes = kSampleBytes * num_threads();
  if (next_ + bytes > buffer_.size()) next_ = 0;
  const std::byte* data = buffer_.data() + next_;
  next_ += bytes;
  const int64_t start_ns = clock_->now_ns();
  pool_->share(bytes / kLineBytes, kSampleBytes / 8 / kLineBytes, [&](int, int64_t begin, int64_t end) {
    const std::byte* lines = data + begin * kLineBytes;
    read_lines(lines, lines + kAheadBytes, end - begin);
  });
  return static_cast<double>(bytes) * 1e9 /
         static_cast<double>(std::max<int64_t>(1, clock_->now_ns() - start_ns));
}

double MachinePeaks::sample(const PeakProbe& probe) const {
  constexpr int64_t kCallsPerThread = 8;
  const int64_t calls = kCallsPerThread * num_threads();
  const int64_t start_ns = clock_->now_ns();
  pool_->share(calls, 1, [&](int, int64_t, int64_t) { probe.run(); });
  const auto elapsed_ns = static_cast<double>(std::max<int64_t>(1, clock_->now_ns() - start_ns));
  return static_cast<double>(probe.ops * calls) * 1e9 / elapsed_ns;
}

double MachinePeaks::sample(Arithmetic arithmetic) const {
  const auto last = std::find_if(probes_.rbegin(), probes_.rend(),
                                 [&](const PeakProbe& probe) { return probe.arithmetic == arithmetic; });
  return last == probes_.rend() ? 0 : sample(*last);
}

double MachinePeaks::median_bandwidth(int count) {
  return median_of(count, [&] { return sample_bandwidth(); });
}

double MachinePeaks::median(const PeakProbe& probe, int count) const {
  return median_of(count, [&] { return sample(probe); });
}

}  // namespace quire
