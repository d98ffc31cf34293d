// A tokenizer as a model file describes it. Filled by weights, read by tokenizer and chat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace quire {

// GGUF's tokenizer.ggml.token_type.
enum class TokenType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

struct TokenizerSpec {
  std::string model;                // "gpt2": byte-level BPE
  std::string pre_tokenizer;        // smollm, gpt-2, llama-bpe, qwen2
  std::vector<std::string> tokens;  // by id; in GPT-2's byte-to-unicode alphabet for normal tokens
  std::vector<TokenType> types;     // by id
  std::vector<std::string> merges;  // "left right", by rank
  std::optional<TokenId> bos, eos, eot, eom, unknown, padding;
  bool add_bos = false;
  std::string chat_template;  // Jinja; empty if the file has none
};

}  // namespace quire
