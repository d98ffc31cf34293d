// Log-probabilities as OpenAI's two formats have them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/output_processor.h"
#include "server/generation/generation.h"
#include "server/json/json_writer.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A token's text; for one that is no whole UTF-8 by itself OpenAI's spelling "bytes:\xe2\x80".
std::string token_text(const Tokenizer& tokenizer, TokenId id);

// Characters (code points) of text that begin in the token's bytes; 0 for a special token if those are
// skipped.
int64_t num_characters(const Tokenizer& tokenizer, TokenId id, bool skip_special);

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; a NaN logprob is written as null.
void write_completion_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                               std::span<const OutputToken> tokens);

// {"content": [{"token", "logprob", "bytes", "top_logprobs"}]}
void write_chat_logprobs(JsonWriter& json, const Tokenizer& tokenizer, std::span<const OutputToken> tokens);

// The array of that alone, as responses have it.
void write_token_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                          std::span<const OutputToken> tokens);

// vLLM's prompt_logprobs: null, then for each position {"<id>": {"logprob", "decoded_token"}}.
void write_prompt_logprobs(JsonWriter& json, const Tokenizer& tokenizer,
                           std::span<const Generation::PromptToken> tokens);

}  // namespace quire
