// What a trace tells of a generated answer: numbers and names, nothing of what was said.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quire {

// Of the engine's clock. 0: that has not happened.
struct GenerationTimes {
  int64_t submitted_ns = 0;
  int64_t first_scheduled_ns = 0;  // the first of several prompts
  int64_t first_token_ns = 0;
  int64_t last_token_ns = 0;
};

struct GenerationTrace {
  GenerationTimes times;
  std::string response_id;
  std::string model;
  int64_t input_tokens = 0;
  int64_t cached_tokens = 0;  // of those
  int64_t output_tokens = 0;
  std::vector<std::string> finish_reasons;  // of the continuations that have one

  int64_t embedding_width = 0;  // 0: it is an answer in tokens; else what follows has no meaning

  // Of the request.
  int64_t num_choices = 1;
  int64_t max_tokens = 0;
  double temperature = 0;
  double top_p = 0;
  int64_t top_k = 0;
  double frequency_penalty = 0;
  double presence_penalty = 0;
  std::optional<int64_t> seed;
};

}  // namespace quire
