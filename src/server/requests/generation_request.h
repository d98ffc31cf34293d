// What every request that generates says, whichever endpoint it came to. Read from JSON and checked as far
// as that goes without the model: types, ranges, combinations. prompt.h does the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/sampling_params.h"
#include "grammar/grammar_spec.h"
#include "server/json/request_fields.h"

namespace quire {

struct GenerationRequest {
  std::string model;  // empty: the one that is served
  SamplingParams sampling;
  std::optional<GrammarSpec> structured_output;  // not compiled yet
  // As the client gave it, and by which name; sampling.max_tokens is set once the prompt is known.
  std::optional<int32_t> max_tokens;
  std::string max_tokens_name = "max_tokens";
  bool stream = false;
  bool has_stream_options = false;
  bool include_usage = false;           // a last chunk of a stream with the usage
  bool continuous_usage_stats = false;  // each chunk has the usage so far
  // Of a longer prompt, only so many of its last tokens; -1: as many as leave room for the answer. Of an
  // input that is embedded, its first ones.
  std::optional<int32_t> truncate_prompt_tokens;
  bool return_token_ids = false;
  bool include_reasoning = true;  // false: it is left out of the answer
  bool echo = false;              // the answer begins with the prompt or the last message
  int32_t priority = 0;           // a lower one goes first
  std::string cache_salt;
  TenantId tenant = 0;  // who asks; not said in the body
};

// Rules of fields that several endpoints have; `request` outlives them.
FieldRule model_rule(std::string& model);
// Under either of its names; 0 is legal if `allow_zero`.
FieldRule max_tokens_rule(std::string_view name, GenerationRequest& request, bool allow_zero);
FieldRule cache_salt_rule(GenerationRequest& request);
FieldRule truncation_rule(GenerationRequest& request, std::string_view description);
// Of priority and cache_salt.
void add_placing_rules(std::vector<FieldRule>& rules, GenerationRequest& request);

// Adds the rules of the fields above, of the sampling parameters but max_tokens and what `except` names, and
// of what clients say beside and is of no effect here.
void add_generation_rules(std::vector<FieldRule>& rules, GenerationRequest& request,
                          std::string_view except = {});

// Combinations, once all fields are read.
Expected<> check_generation(const GenerationRequest& request);

}  // namespace quire
