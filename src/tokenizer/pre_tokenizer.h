// Pre-tokenization: where a text is cut into the words that BPE merges within. Each rule set is the regular
// expression that the models' authors published, written out as a scanner: one pass, no backtracking, no
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quire {

enum class PreTokenizer : uint8_t {
  // '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kGpt2,
  // The text is first cut around every \p{N}, which stands alone; kGpt2's rules hold within each piece.
  kSmollm,
  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+
  // |\s+(?!\S)|\s+
  kLlamaBpe,
  // The same with \p{N} instead of \p{N}{1,3}. No normalization: every byte of the text is kept.
  kQwen2,
};

// By the name that GGUF has in tokenizer.ggml.pre.
std::optional<PreTokenizer> find_pre_tokenizer(std::string_view name);

// The names that find_pre_tokenizer knows, for messages.
std::string_view pre_tokenizer_names();

// Bytes of the first word of `text`, which must not be empty: at least 1. What is left is cut by calling it
// again.
size_t first_word_length(PreTokenizer rules, std::string_view text);

}  // namespace quire
