// A sequence of requests made from a seed: when each arrives, its prompt, and how much it asks for. The
// same seed and numbers give the same sequence everywhere, whichever server it is sent to.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/types.h"

namespace quire {

// Lengths in tokens: fixed (median with sigma 0), uniform around the median (range_ratio), or log-normal
// (sigma).
struct LengthDistribution {
  double median = 1;
  double sigma = 0;        // log-normal when above 0
  double range_ratio = 0;  // otherwise uniform in median * [1 - range_ratio, 1 + range_ratio]
  int32_t max = std::numeric_limits<int32_t>::max();
};

// What people send to a chat service, roughly: short questions, a long tail, and moderate answers.
inline constexpr LengthDistribution kDefaultInputLength{.median = 100, .sigma = 0.9, .max = 1000};
inline constexpr LengthDistribution kDefaultOutputLength{.median = 64, .sigma = 0.7, .max = 256};

struct WorkloadSpec {
  int32_t num_prompts = 1000;
  // requests a second; infinite: all at once
  double request_rate = std::numeric_limits<double>::infinity();
  double burstiness = 1;  // shape of the gamma distribution of gaps: 1 is Poisson, less is burstier
  LengthDistribution input_len = kDefaultInputLength;  // without the shared prefix
  LengthDistribution output_len = kDefaultOutputLength;
  int32_t prefix_len = 0;   // tokens that all prompts begin with
  TokenId first_token = 0;  // prompts are of ids in [first_token, vocab_size)
  TokenId vocab_size = 0;
  int64_t seed = 0;
};

struct WorkItem {
  double arrival_s = 0;  // after the start of the run
  std::vector<TokenId> prompt;
  int32_t max_tokens = 0;
};

// Errors name the field that is out of range.
Expected<> validate(const WorkloadSpec& spec);

// The spec must be valid. Items are in order of arrival; the first arrives at 0.
std::vector<WorkItem> make_workload(const WorkloadSpec& spec);

}  // namespace quire
