// What a worker answers to one StepInput. Plain data.
#pragma once

#include <cstdint>
#include <vector>

#include "base/types.h"

namespace quire {

struct TokenLogprob {
  TokenId token = 0;
  // Natural logarithm, of the model's own distribution (before temperature and penalties); that of a beam's
  // candidate is of the distribution after them.
  float logprob = 0;
};

struct SampledToken {
  SlotId slot = 0;
  // -1: none, for a row of a beam search, one that pools, or one whose grammar allows none
  TokenId token = 0;
  float logprob = 0;  // set when the row asked for logprobs, or its continuations are ranked
  // Entries of StepOutput::top that belong to it, most likely first. Of a beam: its candidates, as many as
  // any choice of the search may need (Sampler::find_candidates).
  int32_t num_top = 0;
  // The entry of StepOutput::embeddings that takes the token's place, for a row that pools; -1: none.
  int32_t embedding = -1;
};

// Log-probability of the prompt's token at `position` (>= 1), given those before it.
struct PromptLogprob {
  SlotId slot = 0;
  int32_t position = 0;
  TokenId token = 0;
  float logprob = 0;
  int32_t num_top = 0;  // entries of StepOutput::prompt_top
};

// How long swapping took; 0 where there was none.
struct SwapDurations {
  int64_t out_ns = 0;  // of the step's swap-outs, until its work could begin
  int64_t in_ns = 0;   // in which swap-ins were under way, up to those that this output tells of
};

struct StepOutput {
  int64_t step_id = 0;
  std::vector<SampledToken> samples;           // in the order of StepInput::samples
  std::vector<TokenLogprob> top;               // alternatives of samples[0], samples[1], ... in that order
  std::vector<PromptLogprob> prompt_logprobs;  // by row, then position
  std::vector<TokenLogprob> prompt_top;
  // Of rows that pool (SamplingParams::pooling) and whose prompt is computed: the model's width each, as the
  // final norm left them.
  std::vector<std::vector<float>> embeddings;
  std::vector<SwapSlotId> swapped_in;  // their content is in its block now
  // Slots whose content is lost: one that was to be swapped in, or one whose writing failed, told once
  // before any swap-in of it.
  std::vector<SwapSlotId> swap_failures;
  SwapDurations swap_times;
  int64_t compute_ns = 0;  // of the step's work

  void clear() {
    samples.clear();
    top.clear();
    prompt_logprobs.clear();
    prompt_top.clear();
    embeddings.clear();
    swapped_in.clear();
    swap_failures.clear();
    swap_times = {};
    compute_ns = 0;
  }
};

}  // namespace quire
