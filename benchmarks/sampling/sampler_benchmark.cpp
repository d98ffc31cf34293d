// One row of logits to one token, by how it is chosen.
#include "sampling/sampler.h"

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"

namespace quire {
namespace {

struct Choice {
  const char* name;
  double temperature;
  int32_t top_k;
  double top_p;
  double min_p;
};

constexpr Choice kChoices[] = {
    {"greedy", 0, 0, 1, 0},        {"temperature", 1, 0, 1, 0},       {"top_p", 0.8, 0, 0.9, 0},
    {"top_p_warm", 1, 0, 0.95, 0}, {"top_k", 0.8, 40, 1, 0},          {"top_k_top_p", 0.7, 50, 0.95, 0},
    {"min_p", 1, 0, 1, 0.05},      {"min_p_top_p", 1, 0, 0.95, 0.02}, {"top_p_flat", 1.0, 0, 0.95, 0},
    {"masked", 1, 0, 1, 0},        {"masked_few", 1, 0, 1, 0},        {"masked_top_p", 0.8, 0, 0.9, 0}};

// About normal with a deviation of 2.5, as a language model's are, and a few tokens that stand out; or,
// flat, with nothing that does.
std::vector<float> make_logits(size_t vocab, bool flat) {
  Rng rng(3);
  std::vector<float> logits(vocab);
  for (float& x : logits) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += rng.uniform();
    x = static_cast<float>(sum * (flat ? 1.0 : 2.5));
  }
  for (int i = 0; i < 20 && !flat; ++i)
    logits[rng.below(vocab)] = static_cast<float>(10 + rng.uniform() * 8);
  return logits;
}

// A grammar's mask: of the text of a string, where most tokens may come, or of what is between values, where
// few may.
std::vector<uint32_t> make_mask(size_t vocab, std::string_view name) {
  std::vector<uint32_t> allowed;
  if (name.find("masked") == std::string_view::npos) return allowed;
  const bool few = name.ends_with("few");
  allowed.assign(vocab / 32, few ? 0 : ~uint32_t{0});
  Rng rng(5);
  for (size_t i = 0; i < (few ? 20 : vocab / 50); ++i) {
    const auto id = rng.below(vocab);
    allowed[id / 32] ^= uint32_t{1} << id % 32;
  }
  return allowed;
}

void sample_row(benchmark::State& state, const Choice& choice) {
  const auto vocab = static_cast<int32_t>(state.range(0));
  const auto kernels = select_kernels("");
  const bool flat = std::string(choice.name).ends_with("flat");
  const auto logits = make_logits(static_cast<size_t>(vocab), flat);
  const auto allowed = make_mask(static_cast<size_t>(vocab), choice.name);
  Sampler sampler(**kernels, vocab, 1);
  SamplingParams params;
  params.temperature = choice.temperature;
  params.top_k = choice.top_k;
  params.top_p = choice.top_p;
  params.min_p = choice.min_p;
  const std::vector<TokenId> tokens(8, 1);
  uint64_t seed = 0;
  SampleResult result;
  for (auto _ : state) {
    sampler.sample(0, logits, {&params, tokens, 4, ++seed, allowed}, result);
    benchmark::DoNotOptimize(result.token);
  }
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Choice& choice : kChoices) {
    benchmark::RegisterBenchmark((std::string("sampling/") + choice.name).c_str(),
                                 [&choice](benchmark::State& state) { sample_row(state, choice); })
        ->Arg(49152)
        ->Arg(151936)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace quire
