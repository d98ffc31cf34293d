#include "simulate/beam_candidates.h"

#include <array>
#include <cmath>

#include "base/check.h"
#include "base/rng.h"
#include "config/sampling_params.h"

namespace quire {
namespace {

static_assert(BeamCandidates::kMost >= kMaxBeams);

// Answers are given again in another order: enough of them that no search meets a pattern.
constexpr uint64_t kNumAnswers = 1024;
constexpr uint64_t kAnswerSeed = 1, kOrderSeed = 2;
constexpr size_t kNumTerms = 256;  // of the sum; what is beyond is taken as its mean

}  // namespace

void BeamCandidates::draw_answers() {
  Rng rng(kAnswerSeed);
  answers_.reserve(kNumAnswers * kMost);
  for (uint64_t answer = 0; answer < kNumAnswers; ++answer) {
    std::array<double, kNumTerms> points;
    double point = 0, sum = 0;
    for (double& each : points) {
      point -= std::log1p(-rng.uniform());
      each = point;
      sum += std::pow(point, -1 / kSpread);
    }
    sum += std::pow(point, 1 - 1 / kSpread) / (1 / kSpread - 1);
    for (int32_t i = 0; i < kMost; ++i) {
      const double logprob = -std::log(points[static_cast<size_t>(i)]) / kSpread - std::log(sum);
      answers_.push_back({.token = i + 1, .logprob = static_cast<float>(logprob)});
    }
  }
}

std::span<const TokenLogprob> BeamCandidates::next(int32_t count) {
  CHECK(count >= 1 && count <= kMost, "{} candidates", count);
  if (answers_.empty()) draw_answers();
  const uint64_t answer = random_bits(kOrderSeed, num_given_++) % kNumAnswers;
  return std::span(answers_).subspan(answer * kMost, static_cast<size_t>(count));
}

}  // namespace quire
