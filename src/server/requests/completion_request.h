// The body of POST /v1/completions.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/types.h"
#include "server/requests/generation_request.h"

namespace quire {

inline constexpr size_t kMaxPrompts = 1024;

struct CompletionRequest : GenerationRequest {
  // A text, or tokens as they are.
  using Prompt = std::variant<std::string, std::vector<TokenId>>;
  std::vector<Prompt> prompts;     // at least one
  bool add_special_tokens = true;  // whether texts get the model's BOS, if it wants one

  // max_tokens 0 with echo: only the prompt is asked for. One token is generated and not shown.
  bool prompt_only() const { return max_tokens == 0; }
};

// One prompt or several, at most `max_prompts`: a string, an array of strings, an array of token ids, or an
// array of arrays of token ids.
Expected<> read_prompts(const JsonField& field, size_t max_prompts,
                        std::vector<CompletionRequest::Prompt>& prompts);

// The table of its fields. `request` outlives it.
std::vector<FieldRule> completion_rules(CompletionRequest& request);

// Errors name the field.
Expected<CompletionRequest> read_completion_request(const JsonFields& body);

}  // namespace quire
