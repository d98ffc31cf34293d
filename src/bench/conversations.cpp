#include "bench/conversations.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/distributions.h"
#include "simulate/cost_model_executor.h"

namespace quire {
namespace {

constexpr uint64_t kRoundsStream = 0x63686174;  // of the seed, beside make_workload's

// The last `max` tokens.
std::vector<TokenId> cut(const std::vector<TokenId>& said, int32_t max) {
  return {said.end() - std::min<std::ptrdiff_t>(std::ssize(said), max), said.end()};
}

}  // namespace

std::vector<WorkItem> make_conversations(std::span<const WorkItem> requests, const TraceSpec& trace,
                                         double seconds, int64_t seed) {
  Rng rng(mix64(static_cast<uint64_t>(seed)) + kRoundsStream);
  std::vector<WorkItem> rounds;
  rounds.reserve(requests.size());
  std::vector<TokenId> said;
  double arrival_s = 0;
  bool goes_on = false;
  for (const WorkItem& request : requests) {
    if (goes_on) {
      arrival_s += kRoundSeconds * draw_exponential(rng);
    } else {
      said.clear();
      arrival_s = request.arrival_s;
    }
    said.insert(said.end(), request.prompt.begin(), request.prompt.end());
    rounds.push_back({.arrival_s = std::fmod(arrival_s, seconds),
                      .prompt = cut(said, trace.max_input / trace.divisor),
                      .max_tokens = request.max_tokens});
    said.insert(said.end(), static_cast<size_t>(request.max_tokens), CostModelExecutor::kToken);
    goes_on = rng.uniform() < 1 - 1 / trace.mean_rounds;
  }
  std::ranges::stable_sort(rounds, {}, &WorkItem::arrival_s);
  return rounds;
}

}  // namespace quire
