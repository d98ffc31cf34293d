#include "sampling/logits_processor.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "grammar/compiled_grammar.h"

namespace quire {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

class LogitBiasProcessor final : public LogitsProcessor {
 public:
  bool active(const SequenceView& sequence) const override { return !sequence.params->logit_bias.empty(); }

  void apply(const SequenceView& sequence, std::span<float> logits, SeenTokens&) const override {
    for (const auto& [token, bias] : sequence.params->logit_bias)
      logits[static_cast<size_t>(token)] += bias;
  }
};

// Before min_tokens, nothing that would end the sequence can be chosen, unless its grammar allows nothing
// else.
class MinTokensProcessor final : public LogitsProcessor {
 public:
  bool active(const SequenceView& sequence) const override {
    return static_cast<int64_t>(sequence.output().size()) < sequence.params->min_tokens;
  }

  void apply(const SequenceView& sequence, std::span<float> logits, SeenTokens&) const override {
    const SamplingParams& params = *sequence.params;
    if (!sequence.allowed.empty() && only_stops_are_allowed(sequence)) return;
    for (const TokenId token : params.stop_token_ids) logits[static_cast<size_t>(token)] = kMinusInfinity;
    if (params.ignore_eos) return;
    for (const TokenId token : params.eos_token_ids) logits[static_cast<size_t>(token)] = kMinusInfinity;
  }

 private:
  static bool only_stops_are_allowed(const SequenceView& sequence) {
    int64_t others = 0;
    for (const uint32_t bits : sequence.allowed) others += std::popcount(bits);
    std::vector<TokenId> stops = sequence.params->stop_token_ids;
    stops.insert(stops.end(), sequence.params->eos_token_ids.begin(), sequence.params->eos_token_ids.end());
    std::ranges::sort(stops);
    const auto repeated = std::ranges::unique(stops);
    stops.erase(repeated.begin(), repeated.end());
    for (const TokenId token : stops) others -= allows(sequence.allowed, token) ? 1 : 0;
    return others == 0;
  }
};

// Repetition (Keskar et al. 2019, CTRL): over prompt and output. Presence and frequency (OpenAI): over the
// output.
class PenaltiesProcessor final : public LogitsProcessor {
 public:
  bool active(const SequenceView& sequence) const override {
    const SamplingParams& params = *sequence.params;
    return params.repetition_penalty != 1.0 || params.presence_penalty != 0.0 ||
           params.frequency_penalty != 0.0;
  }

  void apply(const SequenceView& sequence, std::span<float> logits, SeenTokens& seen) const override {
    const SamplingParams& params = *sequence.params;
    if (params.repetition_penalty != 1.0) {
      const auto penalty = static_cast<float>(params.repetition_penalty);
      seen.clear();
      for (const TokenId token : sequence.tokens) {
        if (!seen.insert(token)) continue;
        float& logit = logits[static_cast<size_t>(token)];
        logit = logit > 0 ? logit / penalty : logit * penalty;
      }
    }
    if (params.presence_penalty == 0.0 && params.frequency_penalty == 0.0) return;
    const auto presence = static_cast<float>(params.presence_penalty);
    const auto frequency = static_cast<float>(params.frequency_penalty);
    seen.clear();
    for (const TokenId token : sequence.output()) {
      float& logit = logits[static_cast<size_t>(token)];
      if (seen.insert(token)) logit -= presence;
      logit -= frequency;
    }
  }
};

}  // namespace

std::vector<std::unique_ptr<const LogitsProcessor>> logits_processors() {
  std::vector<std::unique_ptr<const LogitsProcessor>> processors;
  processors.push_back(std::make_unique<LogitBiasProcessor>());
  processors.push_back(std::make_unique<MinTokensProcessor>());
  processors.push_back(std::make_unique<PenaltiesProcessor>());
  return processors;
}

}  // namespace quire
