#include "bench/workload.h"

#include <algorithm>
#include <cmath>

#include "bench/distributions.h"

namespace quire {
namespace {

constexpr int32_t kMaxPrompts = 1'000'000;
constexpr int32_t kMaxLength = 1 << 20;

// Streams of one seed, so that, say, another request rate leaves the prompts as they were.
enum Stream : uint64_t { kArrivals = 1, kInputLengths, kOutputLengths, kPrefix, kPrompts };

Rng stream_of(int64_t seed, Stream stream) { return Rng(mix64(static_cast<uint64_t>(seed)) + stream); }

int32_t draw_length(Rng& rng, const LengthDistribution& length) {
  double tokens = length.median;
  if (length.sigma > 0) {
    tokens = draw_log_normal(rng, length.median, length.sigma);
  } else if (length.range_ratio > 0) {
    const double low = std::floor(length.median * (1 - length.range_ratio));
    const double high = std::ceil(length.median * (1 + length.range_ratio));
    tokens = low + std::floor(rng.uniform() * (high - low + 1));
  }
  return static_cast<int32_t>(std::clamp(std::round(tokens), 1.0, static_cast<double>(length.max)));
}

TokenId draw_token(Rng& rng, const WorkloadSpec& spec) {
  return spec.first_token +
         static_cast<TokenId>(rng.below(static_cast<uint64_t>(spec.vocab_size - spec.first_token)));
}

Expected<> validate_length(const LengthDistribution& length, const char* name) {
  if (!(length.median >= 1 && length.median <= kMaxLength)) {
    return fail_param(name, "{} must be 1 to {} tokens, but is {}", name, kMaxLength, length.median);
  }
  if (!(length.range_ratio >= 0 && length.range_ratio < 1)) {
    return fail_param("random_range_ratio", "random_range_ratio must be at least 0 and below 1, but is {}",
                      length.range_ratio);
  }
  return {};
}

}  // namespace

Expected<> validate(const WorkloadSpec& spec) {
  if (spec.num_prompts < 1 || spec.num_prompts > kMaxPrompts) {
    return fail_param("num_prompts", "num_prompts must be 1 to {}, but is {}", kMaxPrompts,
                      spec.num_prompts);
  }
  if (!(spec.request_rate > 0)) {
    return fail_param("request_rate", "request_rate must be above 0, but is {}", spec.request_rate);
  }
  if (!(spec.burstiness > 0 && spec.burstiness <= 1e6)) {
    return fail_param("burstiness", "burstiness must be above 0 and at most 1e6, but is {}",
                      spec.burstiness);
  }
  if (auto checked = validate_length(spec.input_len, "random_input_len"); !checked) return checked;
  if (auto checked = validate_length(spec.output_len, "random_output_len"); !checked) return checked;
  if (spec.prefix_len < 0 || spec.prefix_len > kMaxLength) {
    return fail_param("random_prefix_len", "random_prefix_len must be 0 to {} tokens, but is {}",
                      kMaxLength, spec.prefix_len);
  }
  if (spec.first_token < 0 || spec.vocab_size <= spec.first_token) {
    return fail_param("random_vocab_size", "random_vocab_size must be above {}, but is {}",
                      spec.first_token, spec.vocab_size);
  }
  return {};
}

std::vector<WorkItem> make_workload(const WorkloadSpec& spec) {
  Rng arrivals = stream_of(spec.seed, kArrivals);
  Rng input_lengths = stream_of(spec.seed, kInputLengths);
  Rng output_lengths = stream_of(spec.seed, kOutputLengths);
  Rng prefix_tokens = stream_of(spec.seed, kPrefix);
  Rng prompt_tokens = stream_of(spec.seed, kPrompts);
  std::vector<TokenId> prefix(static_cast<size_t>(spec.prefix_len));
  for (TokenId& token : prefix) token = draw_token(prefix_tokens, spec);

  const double gap_scale = 1 / (spec.request_rate * spec.burstiness);  // 0 for an infinite rate
  std::vector<WorkItem> items(static_cast<size_t>(spec.num_prompts));
  double now = 0;
  for (WorkItem& item : items) {
    item.arrival_s = now;
    now += draw_gamma(arrivals, spec.burstiness, gap_scale);
    const int32_t length = draw_length(input_lengths, spec.input_len);
    item.prompt.reserve(prefix.size() + static_cast<size_t>(length));
    item.prompt = prefix;
    for (int32_t i = 0; i < length; ++i) item.prompt.push_back(draw_token(prompt_tokens, spec));
    item.max_tokens = draw_length(output_lengths, spec.output_len);
  }
  return items;
}

}  // namespace quire
