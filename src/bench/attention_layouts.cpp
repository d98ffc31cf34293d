#include "bench/attention_layouts.h"

#include <algorithm>

#include "bench/attention_case.h"
#include "bench/statistics.h"

namespace quire {
namespace {

constexpr int kLayoutSamples = 11;
constexpr double kLeastSeconds = 1e-3;  // of one sample
constexpr int64_t kMostRepeats = 1000;
constexpr int64_t kPage = 4096;

class AttentionTimer {
 public:
  AttentionTimer(const KernelTable& table, ThreadPool& pool, const Clock& clock, const Arena& scratch)
      : table_(table), pool_(pool), clock_(clock), scratch_(scratch) {}

  // Seconds of one layer, over so many.
  double time(AttentionCase& c, int64_t repeats) const {
    const int64_t start_ns = clock_.now_ns();
    for (int64_t i = 0; i < repeats; ++i) {
      c.advance();
      pool_.share(std::ssize(c.plan.tasks), 1, [&](int thread, int64_t begin, int64_t end) {
        table_.attention(context(thread), c.args, begin, end);
      });
      pool_.share(std::ssize(c.plan.merges), 1, [&](int thread, int64_t begin, int64_t end) {
        table_.attention_merge(context(thread), c.args, begin, end);
      });
    }
    return static_cast<double>(clock_.now_ns() - start_ns) * 1e-9 / static_cast<double>(repeats);
  }

 private:
  ExecContext context(int thread) const {
    const int64_t bytes = scratch_.size() / pool_.num_threads() / kPage * kPage;
    return {thread, scratch_.data() + thread * bytes, bytes};
  }

  const KernelTable& table_;
  ThreadPool& pool_;
  const Clock& clock_;
  const Arena& scratch_;
};

}  // namespace

Expected<AttentionRow> time_attention_layouts(const ModelConfig& config, const KernelTable& table,
                                              const AttentionSizes& sizes, int32_t block_size,
                                              ThreadPool& pool, const Clock& clock) {
  const AttentionShape heads{config.num_heads, config.num_kv_heads, config.head_dim};
  const int64_t row_bytes = int64_t{config.num_heads} * config.head_dim * int64_t{sizeof(float)};
  const int64_t scratch_bytes = (attention_scratch_bytes(heads) + kPage - 1) / kPage * kPage;
  auto rows = Arena::create(2 * sizes.num_sequences * row_bytes);
  auto scratch = Arena::create(scratch_bytes * pool.num_threads());
  if (!rows) return std::unexpected(rows.error());
  if (!scratch) return std::unexpected(scratch.error());
  auto* q = reinterpret_cast<float*>(rows->data());
  const int64_t num_values = sizes.num_sequences * row_bytes / int64_t{sizeof(float)};
  std::fill_n(q, num_values, 0.5F);
  AttentionLoad load{.block_size = block_size,
                     .num_sequences = sizes.num_sequences,
                     .context_len = sizes.context_len,
                     .scattered = true};
  auto paged = make_attention_case(config, load, pool.num_threads(), q, q + num_values);
  load.block_size = sizes.context_len;
  auto contiguous = make_attention_case(config, load, pool.num_threads(), q, q + num_values);
  if (!paged) return std::unexpected(paged.error());
  if (!contiguous) return std::unexpected(contiguous.error());

  const AttentionTimer timer(table, pool, clock, *scratch);
  timer.time(*paged, 1);  // page tables, caches, frequency
  timer.time(*contiguous, 1);
  const double once_s = std::max(timer.time(*contiguous, 1), 1e-9);
  const int64_t repeats =
      std::clamp<int64_t>(static_cast<int64_t>(kLeastSeconds / once_s), 1, kMostRepeats);
  std::vector<double> paged_s, contiguous_s;
  for (int i = 0; i < kLayoutSamples; ++i) {
    paged_s.push_back(timer.time(*paged, repeats));
    contiguous_s.push_back(timer.time(*contiguous, repeats));
  }
  return AttentionRow{.num_sequences = sizes.num_sequences,
                      .context_len = sizes.context_len,
                      .block_size = block_size,
                      .paged_s = percentile(paged_s, 50),
                      .contiguous_s = percentile(contiguous_s, 50)};
}

}  // namespace quire
