// Workloads with the lengths of the data sets that the PagedAttention paper was evaluated on (Kwon et al.
// 2023, figure 11). What is published are the means; the shape taken here is log-normal, cut off as the
// paper's 2,048 tokens of context demand, with the median solved for so that the mean is the published
// one. The data sets themselves are not needed: only lengths matter to memory and time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workload.h"

namespace quire {

// A log-normal distribution cut off at `max` whose mean is `mean`, below max.
LengthDistribution log_normal_with_mean(double mean, double sigma, int32_t max);

struct TraceSpec {
  std::string_view name;
  double mean_input = 0, mean_output = 0;
  double input_sigma = 0, output_sigma = 0;
  int32_t max_input = 0, max_output = 0;
  int32_t divisor = 1;     // of all lengths, for runs that would take too long
  int32_t prefix_len = 0;  // tokens that all prompts begin with
  double mean_rounds = 1;  // of a conversation; with 1 nobody comes back

  // Whether requests have beginnings in common, so that a prefix cache finds something.
  bool shares_prefixes() const { return prefix_len > 0 || mean_rounds > 1; }
};

// "ShareGPT", "ShareGPT / 4", or "translation, prefix of 341".
std::string describe(const TraceSpec& trace);

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

// The paper's translations (its section 6.4): examples that all prompts begin with, 80 tokens for one of
// them or 341 for five, and a sentence of some 20 tokens that becomes another.
constexpr TraceSpec translation(int32_t prefix_len) {
  return {.name = "translation",
          .mean_input = 20,
          .mean_output = 20,
          .input_sigma = 0.4,
          .output_sigma = 0.4,
          .max_input = 128,
          .max_output = 128,
          .prefix_len = prefix_len};
}
// The paper's chat (its section 6.5): a prompt is what the conversation had before, answers included, and
// what is asked now, cut to the last max_input tokens; an answer has at most as many. Questions and answers
// are as in ShareGPT. The number of rounds is geometric, with so many on average that most prompts are cut,
// as the paper says of its own.
inline constexpr TraceSpec kChat{.name = "chat",
                                 .mean_input = 161,
                                 .mean_output = 338,
                                 .input_sigma = 1.2,
                                 .output_sigma = 0.9,
                                 .max_input = 1024,
                                 .max_output = 1024,
                                 .mean_rounds = 7};

// `seconds` of Poisson arrivals at `rate` requests a second, at least one request. The token ids are those
// of a vocabulary of `vocab_size`, clear of its first ones. Conversations begin at random too, and their
// rounds follow each other at a mean of kRoundSeconds, whether or not the answer before has come to its end.
inline constexpr double kRoundSeconds = 60;
std::vector<WorkItem> make_trace(const TraceSpec& trace, double rate, double seconds, int32_t vocab_size,
                                 int64_t seed);

// The same as a spec; not of conversations.
WorkloadSpec trace_workload(const TraceSpec& trace, double rate, double seconds, int32_t vocab_size,
                            int64_t seed);

}  // namespace quire
