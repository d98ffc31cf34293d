#include "sampling/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "base/rng.h"
#include "sampling/token_mask.h"

namespace quire {
namespace {

// Below this temperature the distribution is its maximum for every purpose, and 1 / temperature overflows.
constexpr double kGreedyTemperature = 1e-5;

bool has_filters(const SamplingParams& params) {
  return params.top_k > 0 || params.top_p < 1.0 || params.min_p > 0.0;
}

}  // namespace

Sampler::Sampler(const KernelTable& kernels, int32_t vocab_size, int num_threads)
    : kernels_(&kernels), processors_(logits_processors()) {
  const auto vocab = static_cast<size_t>(vocab_size);
  scratch_.reserve(static_cast<size_t>(num_threads));
  for (int thread = 0; thread < num_threads; ++thread) {
    Scratch& scratch =
        scratch_.emplace_back(Scratch{{}, {}, CandidateScratch(vocab), {}, {}, SeenTokens(vocab_size)});
    scratch.logits.reserve(vocab);
    scratch.candidates.reserve(vocab);
    scratch.chunk_sums.reserve(count_logit_chunks(vocab));
    scratch.chunk_maxima.reserve(count_logit_chunks(vocab));
  }
}

int64_t Sampler::bytes(int32_t vocab_size, int num_threads) {
  const auto vocab = static_cast<size_t>(vocab_size);
  const size_t by_token = vocab * (sizeof(float) + sizeof(Candidate));
  const size_t by_chunk = count_logit_chunks(vocab) * (sizeof(double) + sizeof(float));
  return num_threads * (static_cast<int64_t>(by_token + by_chunk) + CandidateScratch::bytes(vocab_size) +
                        SeenTokens::bytes(vocab_size));
}

std::span<const float> Sampler::process(Scratch& scratch, std::span<const float> logits,
                                        const SequenceView& sequence) const {
  bool copied = false;
  for (const auto& processor : processors_) {
    if (!processor->active(sequence)) continue;
    if (!copied) scratch.logits.assign(logits.begin(), logits.end());
    copied = true;
    processor->apply(sequence, scratch.logits, scratch.seen);
  }
  return copied ? std::span<const float>(scratch.logits) : logits;
}

std::span<const float> Sampler::mask(Scratch& scratch, std::span<const float> logits,
                                     std::span<const uint32_t> allowed) {
  if (allowed.empty()) return logits;
  scratch.logits.resize(logits.size());
  mask_logits(logits, allowed, scratch.logits);
  return scratch.logits;
}

void Sampler::sample(int thread, std::span<const float> logits, const SequenceView& sequence,
                     SampleResult& result) {
  Scratch& scratch = scratch_[static_cast<size_t>(thread)];
  const SamplingParams& params = *sequence.params;
  result.top.clear();
  result.token = -1;
  if (!sequence.allowed.empty() && std::ranges::none_of(sequence.allowed, std::identity())) return;
  const std::span<const float> row = process(scratch, logits, sequence);
  if (params.use_beam_search) return find_candidates(mask(scratch, row, sequence.allowed), params, result);
  result.token = choose(scratch, row, sequence);
  if (params.logprobs || params.ranks_draws()) {
    score(logits, result.token, params.logprobs.value_or(0), result);
  }
}

TokenId Sampler::choose(Scratch& scratch, std::span<const float> logits,
                        const SequenceView& sequence) const {
  const SamplingParams& params = *sequence.params;
  if (params.temperature < kGreedyTemperature) return most_likely(logits, sequence.allowed);
  const double uniform = random_uniform(sequence.seed, sequence.output().size());
  if (!has_filters(params)) {
    return draw(scratch, logits, sequence.allowed, 1.0 / params.temperature, uniform);
  }
  return draw_filtered(scratch, mask(scratch, logits, sequence.allowed), params, uniform);
}

TokenId Sampler::most_likely(std::span<const float> logits, std::span<const uint32_t> allowed) const {
  if (allowed.empty()) {
    return static_cast<TokenId>(kernels_->argmax(logits.data(), static_cast<int64_t>(logits.size())));
  }
  std::array<float, kLogitChunk> scratch;
  TokenId best = 0;
  float best_logit = -std::numeric_limits<float>::infinity();
  for (size_t c = 0; c < count_logit_chunks(logits.size()); ++c) {
    const std::span<const float> chunk = masked_chunk(logits, allowed, c, scratch);
    if (chunk.empty()) continue;
    const auto place =
        static_cast<size_t>(kernels_->argmax(chunk.data(), static_cast<int64_t>(chunk.size())));
    if (!(chunk[place] > best_logit)) continue;
    best = static_cast<TokenId>(c * kLogitChunk + place);
    best_logit = chunk[place];
  }
  return best;
}

void Sampler::find_candidates(std::span<const float> logits, const SamplingParams& params,
                              SampleResult& result) const {
  const auto width = static_cast<size_t>(params.num_sequences());
  const auto stops = [&params](TokenId token) {
    const auto has = [token](const auto& tokens) {
      return std::ranges::find(tokens, token) != tokens.end();
    };
    return has(params.stop_token_ids) || (!params.ignore_eos && has(params.eos_token_ids));
  };
  const size_t num_stops = params.stop_token_ids.size() + params.eos_token_ids.size();
  float maximum = 0;
  double sum = 0;
  kernels_->max_sum_exp(logits.data(), static_cast<int64_t>(logits.size()), 1.0F, &maximum, &sum);
  top_logprobs(logits, static_cast<int32_t>(width + num_stops), maximum + std::log(sum), result.top);
  size_t place = 0, others = 0;  // tokens looked at, and those of them that do not stop
  std::erase_if(result.top, [&](const TokenLogprob& candidate) {
    const bool stop = stops(candidate.token);
    const bool useless = stop ? place >= width : others >= width;
    ++place;
    others += stop ? 0 : 1;
    return useless || !std::isfinite(candidate.logprob);
  });
  result.token = -1;
}

void Sampler::score(std::span<const float> logits, TokenId token, int32_t num_top,
                    SampleResult& result) const {
  float maximum = 0;
  double sum = 0;
  kernels_->max_sum_exp(logits.data(), static_cast<int64_t>(logits.size()), 1.0F, &maximum, &sum);
  const double log_sum_exp = maximum + std::log(sum);
  result.token = token;
  result.logprob = static_cast<float>(logits[static_cast<size_t>(token)] - log_sum_exp);
  top_logprobs(logits, num_top, log_sum_exp, result.top);
}

// Inverse transform in two levels: the chunk that holds the drawn point, then the token in it.
TokenId Sampler::draw(Scratch& scratch, std::span<const float> logits, std::span<const uint32_t> allowed,
                      double scale, double uniform) const {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const size_t num_chunks = count_logit_chunks(logits.size());
  scratch.chunk_sums.resize(num_chunks);
  scratch.chunk_maxima.assign(num_chunks, kNone);
  std::array<float, kLogitChunk> masked;
  for (size_t c = 0; c < num_chunks; ++c) {
    const std::span<const float> chunk = masked_chunk(logits, allowed, c, masked);
    if (chunk.empty()) continue;
    kernels_->max_sum_exp(chunk.data(), static_cast<int64_t>(chunk.size()), static_cast<float>(scale),
                          &scratch.chunk_maxima[c], &scratch.chunk_sums[c]);
  }
  const float maximum = *std::ranges::max_element(scratch.chunk_maxima);
  double total = 0;
  for (size_t c = 0; c < num_chunks; ++c) {
    const double below = scale * (static_cast<double>(scratch.chunk_maxima[c]) - maximum);
    // A chunk in which nothing has weight has no sum at all: its maximum is -inf.
    scratch.chunk_sums[c] = std::isfinite(below) ? scratch.chunk_sums[c] * std::exp(below) : 0.0;
    total += scratch.chunk_sums[c];
  }
  double point = uniform * total;
  size_t chunk = 0;
  while (chunk + 1 < num_chunks && point >= scratch.chunk_sums[chunk]) point -= scratch.chunk_sums[chunk++];
  // The sums are rounded: the point may lie a little past the last token, which then is the last that has
  // any weight.
  TokenId chosen = -1;
  const std::span<const float> row = masked_chunk(logits, allowed, chunk, masked);
  for (size_t i = 0; i < row.size(); ++i) {
    const double weight = std::exp(scale * (static_cast<double>(row[i]) - maximum));
    if (!(weight > 0)) continue;
    chosen = static_cast<TokenId>(chunk * kLogitChunk + i);
    if (point < weight) break;
    point -= weight;
  }
  return chosen >= 0 ? chosen : most_likely(logits, allowed);  // else there is no finite logit
}

TokenId Sampler::draw_filtered(Scratch& scratch, std::span<const float> logits,
                               const SamplingParams& params, double uniform) const {
  filter_candidates(logits, params, *kernels_, scratch.filter, scratch.candidates);
  double total = 0;
  for (const Candidate& candidate : scratch.candidates) total += candidate.weight;
  double point = uniform * total;
  TokenId chosen = scratch.candidates.front().token;  // the most likely one: it has weight if any has
  for (const Candidate& candidate : scratch.candidates) {
    if (candidate.weight > 0) chosen = candidate.token;
    if (point < candidate.weight) break;
    point -= candidate.weight;
  }
  return chosen;  // as above where the point lies past the last token
}

}  // namespace quire
