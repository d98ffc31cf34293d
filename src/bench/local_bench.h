// Measures an engine in process: no HTTP, no tokenizer, only the step loop. Prompts are random tokens,
// sampling is greedy, and end-of-sequence is ignored, so that the work is what the numbers say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bench/workload.h"
#include "engine/llm_engine.h"

namespace quire {

// What happened to B equal requests that were submitted at once.
struct BatchTiming {
  double latency_s = 0;             // until the last one ended
  double prefill_tokens_per_s = 0;  // all prompts, until every request had its first token
  // Over the time when all of them decoded: from when the last got its first token to when the first ended.
  // None if there was no such time: one token each, or fewer slots than requests.
  std::optional<double> decode_tokens_per_s;
};

struct BatchSpec {
  int32_t batch_size = 8;
  int32_t input_len = 32;
  int32_t output_len = 128;
};

// `seed` chooses the prompts: another one for each call, so that none could be remembered. Errors: those of
// LLMEngine::submit, and kInternal when a request ends without its tokens.
Expected<BatchTiming> time_batch(LLMEngine& engine, const BatchSpec& spec, int32_t vocab_size, int64_t seed,
                                 const Clock& clock);

struct ThroughputTiming {
  double elapsed_s = 0;
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

// Submits the whole workload at once, whatever its arrival times. The engine's queue must hold it.
Expected<ThroughputTiming> time_workload(LLMEngine& engine, std::span<const WorkItem> workload,
                                         const Clock& clock);

// Random prompts keep clear of the low ids, where vocabularies have their special tokens.
TokenId first_random_token(int32_t vocab_size);

}  // namespace quire
