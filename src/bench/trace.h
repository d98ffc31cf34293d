// Workloads with the lengths of the data sets that the PagedAttention paper was evaluated on (Kwon et al.
// 2023, figure 11). What is published are the means; the shape taken here is log-normal, cut off as the
// paper's 2,048 tokens of context demand, with the median solved for so that the mean is the published
// one. The data sets themselves are not needed: only lengths matter to memory and time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/workload.h"

namespace quire {

// A log-normal distribution cut off at `max` whose mean is `mean`, below max.
LengthDistribution log_normal_with_mean(double mean, double sigma, int32_t max);

struct TraceSpec {
  std::string_view name;
  double mean_input = 0, mean_output = 0;
  double input_sigma = 0, output_sigma = 0;
  int32_t max_input = 0, max_output = 0;
  int32_t divisor = 1;  // of all lengths, for runs that would take too long
};

std::string describe(const TraceSpec& trace);  // "ShareGPT", or "ShareGPT / 4"

// Conversations: long and very uneven. 161 tokens in and 338 out.
inline constexpr TraceSpec kShareGpt{.name = "ShareGPT",
                                     .mean_input = 161,
                                     .mean_output = 338,
                                     .input_sigma = 1.2,
                                     .output_sigma = 0.9,
                                     .max_input = 1024,
                                     .max_output = 1024};
// Instructions: short ones. 19 tokens in and 58 out.
inline constexpr TraceSpec kAlpaca{.name = "Alpaca",
                                   .mean_input = 19,
                                   .mean_output = 58,
                                   .input_sigma = 0.5,
                                   .output_sigma = 0.9,
                                   .max_input = 256,
                                   .max_output = 512};

// `seconds` of Poisson arrivals at `rate` requests a second, at least one request. The token ids are those
// of a vocabulary of `vocab_size`, clear of its first ones.
WorkloadSpec trace_workload(const TraceSpec& trace, double rate, double seconds, int32_t vocab_size,
                            int64_t seed);

}  // namespace quire
