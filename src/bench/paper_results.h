// What `quire bench paper` finds. Every row names the machine and the workload that it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/rate_curve.h"
#include "memory/allocation_policy.h"
#include "simulate/cost_fit.h"

namespace quire {

struct PolicyCurve {
  AllocationPolicy policy = AllocationPolicy::kPaged;
  bool prefix_cache = false;
  std::vector<RatePoint> points;
  SustainedRate sustained;

  std::string name() const;  // "paged", or "paged, prefix cache"
};

// Normalized latency against the rate of requests, for several policies.
struct CurveSet {
  std::string machine;
  std::string workload;
  bool measured = false;  // rather than simulated
  int32_t n = 1;          // sequences of a request
  bool beams = false;     // of a beam search, rather than parallel samples
  double limit_s = 0;     // the normalized latency at which rates are compared
  std::vector<PolicyCurve> curves;

  // What is done with a request: "n = 4" or "beams = 4".
  std::string decoding() const;

  const PolicyCurve* find(AllocationPolicy policy, bool prefix_cache = false) const;
  // How many times the policy's sustained rate paging sustains, at least. None if one of both is missing, or
  // where the policy's curve ends below the limit, so that only a bound of its rate is known.
  std::optional<double> rate_against(AllocationPolicy policy) const;
  // The same of paging with a prefix cache over paging without.
  std::optional<double> prefix_cache_speedup() const;
};

// What the KV pool is taken by where requests wait for it.
struct MemoryRow {
  std::string machine;
  std::string workload;
  AllocationPolicy policy = AllocationPolicy::kPaged;
  double rate = 0;  // requests a second
  MemoryUse use;
  double waste = 0;  // of the slots taken or set aside
  double num_running = 0;
};

struct BlockSizeRow {
  std::string machine;
  std::string workload;
  bool measured = false;  // rather than simulated
  int32_t block_size = 0;
  double rate = 0;
  double normalized_latency_s = 0;
  double waste = 0;
};

// Blocks saved by sharing, as a share of those that the sequences would hold without.
struct SharingRow {
  std::string machine;
  std::string workload;
  bool measured = false;  // rather than simulated
  std::string method;     // "parallel" or "beam"
  int32_t width = 1;      // sequences of a request
  double rate = 0;
  double saved = 0;
};

// Requests a second with a prefix cache and without, when as many wait as come.
struct PrefixSpeedup {
  std::string machine;
  std::string workload;
  double rate_on = 0, rate_off = 0;
};

// Two ways to bring a preempted sequence back (Kwon et al. 2023, figure 19).
struct RecoveryRow {
  std::string machine;
  int32_t block_size = 0;
  int32_t num_tokens = 0;                // of the sequence
  double recompute_s = 0;                // its keys and values computed anew
  double swap_out_s = 0, swap_in_s = 0;  // or swapped out of the pool, and in again
};

// A workload that preempts much, with one of the two.
struct PreemptionRow {
  std::string machine;
  std::string workload;
  int32_t block_size = 0;
  bool swaps = false;  // rather than recomputes
  double elapsed_s = 0;
  double normalized_latency_s = 0;
  int64_t num_preemptions = 0;
};

// One step's attention of a layer over sequences that decode (Kwon et al. 2023, figure 18a).
struct AttentionRow {
  int32_t num_sequences = 0;
  int32_t context_len = 0;
  int32_t block_size = 0;
  double paged_s = 0;       // blocks of that size, anywhere
  double contiguous_s = 0;  // one range for each sequence
};

struct PaperResults {
  bool quick = false;
  int32_t num_threads = 0;     // of what was measured
  std::vector<CostFit> costs;  // of the machines simulated; one that was not fitted has no errors
  std::vector<CurveSet> curves;
  std::vector<MemoryRow> memory;
  std::vector<SharingRow> sharing;
  std::vector<BlockSizeRow> block_sizes;
  std::optional<PrefixSpeedup> prefix_speedup;
  std::vector<RecoveryRow> recovery;
  std::vector<PreemptionRow> preemption;
  std::vector<AttentionRow> attention;

  // The first measured set of one sequence a request that has both; otherwise the first simulated one. Null:
  // none.
  const CurveSet* comparison(AllocationPolicy rival) const;
};

}  // namespace quire
