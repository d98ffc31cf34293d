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
  std::vector<RatePoint> points;
  SustainedRate sustained;
};

// Normalized latency against the rate of requests, for several policies.
struct CurveSet {
  std::string machine;
  std::string workload;
  bool measured = false;  // rather than simulated
  int32_t n = 1;          // parallel samples
  double limit_s = 0;     // the normalized latency at which rates are compared
  std::vector<PolicyCurve> curves;

  const PolicyCurve* find(AllocationPolicy policy) const;
  // How many times the policy's sustained rate paging sustains, at least. None if one of both is missing, or
  // where the policy's curve ends below the limit, so that only a bound of its rate is known.
  std::optional<double> rate_against(AllocationPolicy policy) const;
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
  int32_t block_size = 0;
  double rate = 0;
  double normalized_latency_s = 0;
  double waste = 0;
};

// Blocks saved by sharing, as a share of those that the sequences would hold without.
struct SharingRow {
  std::string machine;
  std::string workload;
  std::string method;  // "parallel"
  int32_t width = 1;   // sequences of a request
  double rate = 0;
  double saved = 0;
};

struct PaperResults {
  bool quick = false;
  int32_t num_threads = 0;     // of what was measured
  std::vector<CostFit> costs;  // of the machines simulated; one that was not fitted has no errors
  std::vector<CurveSet> curves;
  std::vector<MemoryRow> memory;
  std::vector<SharingRow> sharing;
  std::vector<BlockSizeRow> block_sizes;

  // The first measured set of one sample that has both; otherwise the first simulated one. Null: none.
  const CurveSet* comparison(AllocationPolicy rival) const;
};

}  // namespace quire
