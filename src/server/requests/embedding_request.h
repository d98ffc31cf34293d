// The body of POST /v1/embeddings.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "config/pooling.h"
#include "server/requests/completion_request.h"

namespace quire {

inline constexpr size_t kMaxEmbeddingInputs = 2048;

// Of what all requests say, model, truncate_prompt_tokens, cache_salt and tenant matter.
struct EmbeddingRequest : GenerationRequest {
  std::vector<CompletionRequest::Prompt> inputs;  // at least one
  bool base64 = false;                            // values as base64 of little-endian fp32, not as numbers
  std::optional<int32_t> dimensions;              // the first so many, at least 1
  std::optional<Pooling> pooling;                 // none: the server's
  bool add_special_tokens = true;
};

// The table of its fields. `request` outlives it.
std::vector<FieldRule> embedding_rules(EmbeddingRequest& request);

// Errors name the field.
Expected<EmbeddingRequest> read_embedding_request(const JsonFields& body);

}  // namespace quire
