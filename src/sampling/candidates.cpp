#include "sampling/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quire {
namespace {

bool more_likely(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// All tokens whose logit is at least `threshold`, in order of id, and their total weight.
double gather(std::span<const float> logits, float threshold, float maximum, double scale,
              std::vector<Candidate>& out) {
  out.clear();
  double mass = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!(logits[i] >= threshold)) continue;
    const double weight = std::exp(scale * (static_cast<double>(logits[i]) - maximum));
    out.push_back({static_cast<TokenId>(i), logits[i], weight});
    mass += weight;
  }
  return mass;
}

// Keeps the shortest prefix whose weight reaches `share` of `total`.
void cut_to_mass(std::vector<Candidate>& candidates, double share, double total) {
  double mass = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    mass += candidates[i].weight;
    if (mass < share * total) continue;
    candidates.resize(i + 1);
    return;
  }
}

}  // namespace

void filter_candidates(std::span<const float> logits, const SamplingParams& params,
                       const KernelTable& kernels, std::vector<Candidate>& out) {
  const double scale = 1.0 / params.temperature;
  float maximum = 0;
  double total = 0;
  kernels.max_sum_exp(logits.data(), static_cast<int64_t>(logits.size()), static_cast<float>(scale),
                      &maximum, &total);
  const size_t top_k = params.top_k > 0 ? static_cast<size_t>(params.top_k) : logits.size();
  // min-p says exactly how far below the maximum a token may lie, in units of temperature.
  const double limit = params.min_p > 0 ? -std::log(params.min_p) : std::numeric_limits<double>::infinity();

  // Widen the net until it surely holds every survivor.
  double mass = 0;
  for (double depth = 8;; depth *= 2) {
    const bool everything = depth > 1000;
    const double reach = everything ? limit : std::min(depth, limit);
    const auto threshold = static_cast<float>(maximum - reach / scale);
    mass = gather(logits, threshold, maximum, scale, out);
    // With min-p, top-p is a share of all that min-p leaves: then the net must reach the limit.
    const bool enough =
        top_k < logits.size() ? out.size() >= top_k : params.min_p <= 0 && mass >= params.top_p * total;
    if (enough || reach == limit || everything) break;
  }
  if (out.empty()) {  // no finite logit: whatever argmax says
    out.push_back(
        {static_cast<TokenId>(kernels.argmax(logits.data(), static_cast<int64_t>(logits.size()))), 0, 1.0});
    return;
  }
  if (out.size() > top_k) {
    std::nth_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(top_k), out.end(), more_likely);
    out.resize(top_k);
  }
  std::sort(out.begin(), out.end(), more_likely);
  if (params.top_p >= 1.0) return;
  if (top_k < logits.size() || params.min_p > 0) {  // top-p is a share of what the other filters left
    total = 0;
    for (const Candidate& candidate : out) total += candidate.weight;
  }
  cut_to_mass(out, params.top_p, total);
}

void top_logprobs(std::span<const float> logits, int32_t count, double log_sum_exp,
                  std::vector<TokenLogprob>& out) {
  out.clear();
  const auto wanted = std::min(static_cast<size_t>(count), logits.size());
  if (wanted == 0) return;
  const auto better = [](const TokenLogprob& a, const TokenLogprob& b) {
    return a.logprob != b.logprob ? a.logprob > b.logprob : a.token < b.token;
  };
  for (size_t i = 0; i < logits.size(); ++i) {  // a heap of the best so far, the worst of them in front
    const TokenLogprob entry{static_cast<TokenId>(i), logits[i]};
    if (out.size() == wanted && !(entry.logprob > out.front().logprob)) continue;
    if (out.size() == wanted) {
      std::pop_heap(out.begin(), out.end(), better);
      out.pop_back();
    }
    out.push_back(entry);
    std::push_heap(out.begin(), out.end(), better);
  }
  std::sort(out.begin(), out.end(), better);
  for (TokenLogprob& entry : out) entry.logprob = static_cast<float>(entry.logprob - log_sum_exp);
}

}  // namespace quire
