#include "kernels/attention_plan.h"

#include <algorithm>
#include <tuple>

#include "kernels/cpu/attention_layout.h"

namespace quire {
namespace {

// Loading and widening a key and a value costs about as much as using them for so many pairs.
constexpr int64_t kLoadPairs = 3;
// Tiles keep so many pairs, so that loads stay a small part, even where threads could use smaller ones.
constexpr int32_t kMinTilePairs = 24;
// Shares of the whole work at whose ends contexts are cut. Several a thread, as threads may be held up.
constexpr int64_t kSharesPerThread = 2;
// What is smaller than this part of a share is not worth cutting.
constexpr int64_t kCutsPerShare = 8;
// With fewer rows, linears wait for memory themselves and do not fetch keys and values ahead: contexts are
// cut into single chunks, so that groups of heads can.
constexpr int64_t kFewRows = 16;
// Keys and values of a chunk that a group has at most: two groups are in the second-level cache.
constexpr int64_t kGroupElements = 128 << 10;

int32_t ceil_divide(int32_t a, int32_t b) { return static_cast<int32_t>((int64_t{a} + b - 1) / b); }

// Rows [first_row, first_row + num_rows) of a sequence with one KV head's queries.
struct Unit {
  int32_t first_row;
  int32_t num_rows;
  int32_t pairs;
  int32_t keys;  // that the last row sees
  int64_t cost;
};

class Planner {
 public:
  Planner(const AttentionShape& shape, std::span<const AttentionSequence> sequences, int num_threads,
          AttentionPlan& plan)
      : heads_(shape.num_heads / shape.num_kv_heads),
        num_kv_heads_(shape.num_kv_heads),
        num_threads_(num_threads),
        sequences_(sequences),
        plan_(plan),
        group_heads_(static_cast<int32_t>(std::clamp<int64_t>(
            kGroupElements / (2 * kAttentionChunk * shape.head_dim), 1, num_kv_heads_))),
        max_partials_(num_threads > 1 ? num_threads * kAttentionPartialsPerThread : 0) {}

  void plan() {
    plan_.tasks.clear();
    plan_.merges.clear();
    plan_.num_partials = 0;
    int64_t rows = 0;
    for (const auto& sequence : sequences_) {
      rows += sequence.num_rows;
      if (sequence.num_rows > 0) task_cost_ += unit(sequence, 0, sequence.num_rows).cost;
    }
    task_cost_ = task_cost_ * num_kv_heads_ / (num_threads_ * 2 * kSharesPerThread);
    int64_t total = 0;
    for_each_unit([&](int32_t, const Unit& unit) { total += unit.cost * num_kv_heads_; });
    share_ = std::max<int64_t>(1, total / (num_threads_ * kSharesPerThread));
    next_cut_ = share_;
    for_each_unit([&](int32_t sequence, const Unit& unit) {
      if (rows < kFewRows && fits_in_pieces(unit)) return add_pieces(sequence, unit);
      for (int32_t kv_head = 0; kv_head < num_kv_heads_; ++kv_head) add(sequence, kv_head, unit);
    });
    if (num_threads_ > 1) sort_tasks();
    link_groups();
  }

 private:
  Unit unit(const AttentionSequence& sequence, int32_t first_row, int32_t num_rows) const {
    const int32_t last = sequence.context - sequence.num_rows + first_row + num_rows;
    const int64_t keys_of_rows = (2 * int64_t{last} - num_rows + 1) * num_rows / 2;
    return {first_row, num_rows, num_rows * heads_, last, keys_of_rows * heads_ + last * kLoadPairs};
  }

  // Rows of a tile of this sequence: as many as kAttentionTaskPairs allow, fewer if that leaves too few
  // tasks.
  int32_t tile_rows(const AttentionSequence& sequence) const {
    const int64_t most = std::max(1, kAttentionTaskPairs / heads_);
    const int64_t least = std::clamp<int64_t>(kMinTilePairs / heads_, 1, most);
    const int64_t wanted = (task_cost_ / sequence.context - kLoadPairs) / heads_;
    const auto rows = static_cast<int32_t>(std::clamp(wanted, least, most));
    return ceil_divide(sequence.num_rows, ceil_divide(sequence.num_rows, rows));
  }

  template <class Visit>
  void for_each_unit(Visit visit) const {
    for (size_t i = 0; i < sequences_.size(); ++i) {
      const AttentionSequence& sequence = sequences_[i];
      if (sequence.num_rows == 0) continue;
      const int32_t rows = tile_rows(sequence);
      for (int32_t row = 0; row < sequence.num_rows; row += rows) {
        visit(static_cast<int32_t>(i), unit(sequence, row, std::min(rows, sequence.num_rows - row)));
      }
    }
  }

  bool fits_in_pieces(const Unit& unit) const {
    const int64_t chunks = ceil_divide(unit.keys, kAttentionChunk);
    return chunks > 1 && unit.pairs <= std::max(heads_, kMinTilePairs) &&
           plan_.num_partials + chunks * unit.pairs * num_kv_heads_ <= max_partials_;
  }

  // Appends a task for every chunk and KV head.
  void add_pieces(int32_t sequence, const Unit& unit) {
    const int32_t chunks = ceil_divide(unit.keys, kAttentionChunk);
    for (int32_t kv_head = 0; kv_head < num_kv_heads_; ++kv_head) {
      const auto first = static_cast<int32_t>(plan_.num_partials);
      for (int32_t chunk = 0; chunk < chunks; ++chunk) {
        plan_.tasks.push_back(
            {sequence, kv_head, unit.first_row, unit.num_rows, chunk, 1, first + unit.pairs * chunk});
      }
      plan_.merges.push_back({sequence, kv_head, unit.first_row, unit.num_rows, first, chunks});
      plan_.num_partials += int64_t{chunks} * unit.pairs;
    }
    done_ += unit.cost * num_kv_heads_;
    while (next_cut_ <= done_) next_cut_ += share_;
  }

  // Appends the unit's tasks: one, or the pieces that the ends of shares make of it.
  void add(int32_t sequence, int32_t kv_head, const Unit& unit) {
    const int64_t begin = done_;
    done_ += unit.cost;
    const int32_t chunks = ceil_divide(unit.keys, kAttentionChunk);
    const int32_t earliest = earliest_cut(unit, chunks);
    AttentionTask piece{sequence, kv_head, unit.first_row, unit.num_rows, 0, chunks, -1};
    int32_t first_cut = 0;
    for (; next_cut_ < done_; next_cut_ += share_) {
      const auto cut = static_cast<int32_t>(((next_cut_ - begin) * chunks + unit.cost / 2) / unit.cost);
      if (cut < earliest || cut <= piece.first_chunk || cut >= chunks) continue;
      if (first_cut == 0) {
        first_cut = cut;
        piece.partial = static_cast<int32_t>(plan_.num_partials);
      }
      piece.num_chunks = cut - piece.first_chunk;
      plan_.tasks.push_back(piece);
      piece.first_chunk = cut;
      piece.partial = static_cast<int32_t>(plan_.num_partials) + unit.pairs * (1 + cut - first_cut);
    }
    piece.num_chunks = chunks - piece.first_chunk;
    plan_.tasks.push_back(piece);
    if (first_cut == 0) return;
    const int32_t partials = 1 + chunks - first_cut;
    plan_.merges.push_back({sequence, kv_head, unit.first_row, unit.num_rows,
                            static_cast<int32_t>(plan_.num_partials), partials});
    plan_.num_partials += int64_t{partials} * unit.pairs;
  }

  // The first chunk at which the unit may be cut such that the partials left suffice; `chunks` if it may
  // not.
  int32_t earliest_cut(const Unit& unit, int32_t chunks) const {
    if (unit.pairs > std::max(heads_, kMinTilePairs) || unit.cost < share_ / kCutsPerShare) return chunks;
    const int64_t room = (max_partials_ - plan_.num_partials) / unit.pairs;  // 1 + later chunks
    return static_cast<int32_t>(std::clamp<int64_t>(1 + chunks - room, 1, chunks));
  }

  // Largest first, so that threads that take tasks one by one end together; equal ones such that the heads
  // of a group follow each other, and then its chunks.
  void sort_tasks() const {
    const auto cost = [this](const AttentionTask& task) {
      return task.num_chunks * (int64_t{task.num_rows} * heads_ + kLoadPairs);
    };
    std::sort(plan_.tasks.begin(), plan_.tasks.end(), [&](const AttentionTask& a, const AttentionTask& b) {
      return std::make_tuple(-cost(a), a.sequence, a.first_row, group_of(a), a.first_chunk, a.kv_head) <
             std::make_tuple(-cost(b), b.sequence, b.first_row, group_of(b), b.first_chunk, b.kv_head);
    });
  }

  int32_t group_of(const AttentionTask& task) const { return task.kv_head / group_heads_; }

  // Tasks from `first` on that form a group, or 0 if they do not.
  int64_t group_size(int64_t first) const {
    const AttentionTask& head = plan_.tasks[static_cast<size_t>(first)];
    if (head.num_chunks != 1 || int64_t{head.num_rows} * heads_ >= kUnpackPairs) return 0;
    int64_t end = first + 1;
    for (; end < std::ssize(plan_.tasks); ++end) {
      const AttentionTask& task = plan_.tasks[static_cast<size_t>(end)];
      if (task.num_chunks != 1 || task.sequence != head.sequence || task.first_row != head.first_row ||
          task.first_chunk != head.first_chunk || group_of(task) != group_of(head) ||
          task.kv_head != head.kv_head + (end - first)) {
        break;
      }
    }
    return end - first;
  }

  // Who begins with the task, if nobody takes another's: see ThreadPool.
  int64_t thread_of(int64_t task) const {
    return ((task + 1) * num_threads_ - 1) / std::ssize(plan_.tasks);
  }

  void link_groups() {
    int64_t size = 0;
    for (int64_t first = 0; first < std::ssize(plan_.tasks); first += std::max<int64_t>(1, size)) {
      size = group_size(first);
      const int64_t next = first + size;
      const bool linked = size > 0 && next < std::ssize(plan_.tasks) && group_size(next) > 0 &&
                          thread_of(first) == thread_of(next);
      for (int64_t i = 0; i < size; ++i) {
        AttentionTask& task = plan_.tasks[static_cast<size_t>(first + i)];
        task.part = static_cast<int32_t>(i);
        task.parts = static_cast<int32_t>(size);
        if (linked) task.next_group = static_cast<int32_t>(next);
      }
      if (!linked) continue;
      const int64_t next_end = next + group_size(next);
      for (int64_t i = next; i < next_end; ++i) plan_.tasks[static_cast<size_t>(i)].fetched = true;
    }
  }

  const int32_t heads_;  // query heads of a KV head
  const int32_t num_kv_heads_;
  const int64_t num_threads_;
  const std::span<const AttentionSequence> sequences_;
  AttentionPlan& plan_;
  const int32_t group_heads_;  // of a group at most
  const int64_t max_partials_;
  int64_t task_cost_ = 0;  // of a good task
  int64_t share_ = 0;
  int64_t done_ = 0;      // cost of the units so far
  int64_t next_cut_ = 0;  // on the same scale
};

}  // namespace

int64_t attention_partial_bytes(const AttentionShape& shape, int num_threads) {
  if (num_threads <= 1) return 0;
  const int64_t bytes_each = partial_stride(shape.head_dim) * static_cast<int64_t>(sizeof(float));
  return num_threads * kAttentionPartialsPerThread * bytes_each;
}

int64_t attention_scratch_bytes(const AttentionShape& shape) {
  const int64_t pairs = std::max(kAttentionTaskPairs, shape.num_heads / shape.num_kv_heads);
  return attention_scratch(pairs, shape.head_dim).end * static_cast<int64_t>(sizeof(float));
}

void plan_attention(const AttentionShape& shape, std::span<const AttentionSequence> sequences,
                    int num_threads, AttentionPlan& plan) {
  Planner(shape, sequences, num_threads, plan).plan();
}

}  // namespace quire
