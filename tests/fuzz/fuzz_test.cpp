// Every target on its seeds and on mutations of them: what script/fuzz does for longer, a moment of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "tests/base/test_effort.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {
namespace {

std::string mutate(const std::vector<std::string>& seeds, Rng& rng) {
  std::string text = seeds[rng.below(seeds.size())];
  for (uint64_t left = 1 + rng.below(8); left > 0 && !text.empty(); --left) {
    const size_t at = rng.below(text.size());
    const size_t length = std::min<size_t>(1 + rng.below(16), text.size() - at);
    const std::string& other = seeds[rng.below(seeds.size())];
    switch (rng.below(6)) {
      case 0: text[at] = static_cast<char>(rng.below(256)); break;
      case 1: text[at] = static_cast<char>(text[at] ^ (1 << rng.below(8))); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(at, length)); break;
      case 4: text.insert(at, length, static_cast<char>(rng.below(256))); break;
      default: text.insert(at, other.substr(rng.below(other.size()), 1 + rng.below(40)));
    }
  }
  return text;
}

class Fuzz : public testing::TestWithParam<FuzzTarget> {};

TEST_P(Fuzz, TakesAnyBytes) {
  const FuzzTarget& target = GetParam();
  const auto seeds = target.seeds();
  target.run({});
  for (const std::string& seed : seeds) {
    target.run(seed);
    for (size_t length = 0; length < seed.size(); ++length)
      target.run(std::string_view(seed).substr(0, length));
  }
  const int rounds = long_run() ? 200'000 : 8'000;
  for (int seed = 0; seed < rounds; ++seed) {
    Rng rng(static_cast<uint64_t>(seed));
    target.run(mutate(seeds, rng));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, testing::ValuesIn(fuzz_targets().begin(), fuzz_targets().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace quire
