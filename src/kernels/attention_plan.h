// Cuts the attention of one step into tasks, once a step for all layers. A task is some rows of one
// sequence, all query heads of one KV head (they share its keys and values), and a range of chunks.
//
// - Rows of a prefill are cut into tiles of at most kAttentionTaskPairs (row, query head) pairs.
// - Where few rows meet long contexts, contexts are cut too: the work is laid out as one list and cut into
//   equal shares of cost, at chunk boundaries, so that only contexts that straddle a share's end are cut.
// - Of a few decoding sequences, every chunk is a task of its own, as far as partials have room: the heads
//   of a chunk then follow each other and fetch the next chunk for all (AttentionTask::next_group).
// - Tasks come out largest first. Hand them to threads one at a time (ThreadPool::share), then, if there
//   are merges, run attention_merge over those.
//
// Results do not depend on the cut. Each chunk of kAttentionChunk positions gives (maximum, sum, weighted
// values) for each pair, and these are folded in chunk order by one expression, in the task or by
// attention_merge. Such a fold is not associative in its bits, so of a context that is cut only the first
// piece may fold (it is the beginning of that order) and leave one partial a pair; each later piece leaves
// one a chunk. Later pieces are therefore bounded: where their partials would exceed
// kAttentionPartialsPerThread a thread, the first piece takes the rest, and the work is less even but the
// memory stays bounded, however long the context.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernel_args.h"

namespace quire {

struct AttentionShape {
  int32_t num_heads = 0;  // a multiple of num_kv_heads
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;  // multiples of 8 (16 with AVX-512) are fast, others take a slower path
};

// (row, query head) pairs of a task at most; a task has at least one row, whatever its heads.
inline constexpr int32_t kAttentionTaskPairs = 96;

// Partials, one a (row, query head) pair and chunk, that a plan may use for each thread. A sequence that
// decodes alone with 3 x 3 heads on two threads is evenly cut up to a context of about 170,000; with 8 x 8
// heads on 64, 260,000.
inline constexpr int64_t kAttentionPartialsPerThread = 1024;

// Reused from step to step; allocates nothing once it has grown to the largest step.
struct AttentionPlan {
  std::vector<AttentionTask> tasks;
  std::vector<AttentionMerge> merges;
  int64_t num_partials = 0;  // one a pair and piece or chunk; AttentionTask::partial counts them
};

// Bytes of AttentionArgs::partials that no plan for this shape and thread count exceeds; 0 for one thread.
int64_t attention_partial_bytes(const AttentionShape& shape, int num_threads);

// Scratch that one thread needs in rope_kv_write, attention and attention_merge. KernelTable::scratch_bytes
// does not cover these: allot the larger of the two.
int64_t attention_scratch_bytes(const AttentionShape& shape);

// Sequences without rows are skipped; others have 1 <= num_rows <= context.
void plan_attention(const AttentionShape& shape, std::span<const AttentionSequence> sequences,
                    int num_threads, AttentionPlan& plan);

}  // namespace quire
