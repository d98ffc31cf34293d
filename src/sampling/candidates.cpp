#include "sampling/candidates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace quire {
namespace {

bool more_likely(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// Where std::sort would take longer.
constexpr size_t kRadixSortFrom = 400;
constexpr uint32_t kDigitBits = 11, kDigits = 1U << kDigitBits;

constexpr float kLowestLogit = std::numeric_limits<float>::lowest();

// All tokens whose logit is at least `threshold`, in order of id; without weights.
void gather(std::span<const float> logits, float threshold, const KernelTable& kernels,
            CandidateScratch& scratch, std::vector<Candidate>& out) {
  out.clear();
  const int64_t count =
      kernels.select(logits.data(), static_cast<int64_t>(logits.size()), threshold, scratch.ids.data());
  for (const int32_t id : std::span(scratch.ids).first(static_cast<size_t>(count))) {
    out.push_back({id, logits[static_cast<size_t>(id)], 0});
  }
}

// Their sum.
double weigh(std::span<Candidate> candidates, float maximum, double scale) {
  double mass = 0;
  for (Candidate& candidate : candidates) {
    candidate.weight = std::exp(scale * (static_cast<double>(candidate.logit) - maximum));
    mass += candidate.weight;
  }
  return mass;
}

// Larger logits have smaller keys; -0 is +0.
uint32_t descending_key(float logit) {
  const auto bits = std::bit_cast<uint32_t>(logit + 0.0F);
  return (bits >> 31) != 0 ? bits : ~bits & 0x7fffffffU;
}

// Sorts candidates that are in order of id: most likely first, and by id among equals, since each pass
// keeps the order of equals (least significant digit first; Knuth, volume 3, 5.2.5).
void radix_sort(std::vector<Candidate>& candidates, std::vector<Candidate>& spare) {
  std::array<std::array<uint32_t, kDigits>, 3> first{};
  for (const Candidate& candidate : candidates) {
    const uint32_t key = descending_key(candidate.logit);
    for (uint32_t pass = 0; pass < 3; ++pass) ++first[pass][key >> (pass * kDigitBits) & (kDigits - 1)];
  }
  spare.resize(candidates.size());
  for (uint32_t pass = 0; pass < 3; ++pass) {
    uint32_t next = 0;
    for (uint32_t& entry : first[pass]) entry = std::exchange(next, next + entry);
    for (const Candidate& candidate : candidates) {
      const uint32_t digit = descending_key(candidate.logit) >> (pass * kDigitBits) & (kDigits - 1);
      spare[first[pass][digit]++] = candidate;
    }
    candidates.swap(spare);
  }
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
                       const KernelTable& kernels, CandidateScratch& scratch, std::vector<Candidate>& out) {
  const auto vocab = static_cast<int64_t>(logits.size());
  const double scale = 1.0 / params.temperature;
  const size_t top_k = params.top_k > 0 ? static_cast<size_t>(params.top_k) : logits.size();
  // Without other filters top-p is a share of everything; else of what they leave, and the rest is not
  // summed.
  const bool share_of_all = top_k >= logits.size() && params.min_p <= 0;
  float maximum = 0;
  double total = 0;
  if (share_of_all) {
    kernels.max_sum_exp(logits.data(), vocab, static_cast<float>(scale), &maximum, &total);
  } else {
    maximum = logits[static_cast<size_t>(kernels.argmax(logits.data(), vocab))];
    if (std::isnan(maximum)) maximum = -std::numeric_limits<float>::infinity();
  }
  // min-p says exactly how far below the maximum a token may lie, in units of temperature.
  const double limit = params.min_p > 0 ? -std::log(params.min_p) : std::numeric_limits<double>::infinity();

  // Widen the net until it surely holds every survivor.
  for (double depth = 8;; depth *= 2) {
    const bool everything = depth > 1000;
    const double reach = everything ? limit : std::min(depth, limit);
    // What is -inf has no weight, however wide the net.
    const auto threshold = std::max(static_cast<float>(maximum - reach / scale), kLowestLogit);
    gather(logits, threshold, kernels, scratch, out);
    const bool enough = share_of_all ? weigh(out, maximum, scale) >= params.top_p * total
                                     : top_k < logits.size() && out.size() >= top_k;
    if (enough || reach == limit || everything) break;
  }
  if (out.empty()) {  // no finite logit: whatever argmax says
    out.push_back({static_cast<TokenId>(kernels.argmax(logits.data(), vocab)), 0, 1.0});
    return;
  }
  if (out.size() > top_k) {
    std::nth_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(top_k), out.end(), more_likely);
    out.resize(top_k);
    std::sort(out.begin(), out.end(), more_likely);
  } else if (out.size() < kRadixSortFrom) {
    std::sort(out.begin(), out.end(), more_likely);
  } else {
    radix_sort(out, scratch.spare);
  }
  if (!share_of_all) total = weigh(out, maximum, scale);
  if (params.top_p < 1.0) cut_to_mass(out, params.top_p, total);
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
