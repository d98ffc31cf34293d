// Text to token ids and back, as the model file says. Byte-level BPE (Sennrich et al. 2016; GPT-2's byte
// alphabet) with the pre-tokenizers that GGUF names. Immutable after creation; safe from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/types.h"
#include "config/tokenizer_spec.h"

namespace quire {

// A stretch of text and whether control tokens' spellings in it are tokens (the template's own text) or
// plain text (what a user wrote). User-defined tokens are vocabulary like any other: recognized in both,
// within a part.
struct TextPart {
  std::string_view text;
  bool parse_special = false;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // `spec` is kept (moved in) and available from spec(). Errors: kUnsupported names what is supported;
  // kCorrupt for a spec that contradicts itself (types of another number than tokens, malformed merges, ids
  // outside the vocabulary, duplicate tokens).
  static Expected<std::unique_ptr<Tokenizer>> create(TokenizerSpec spec);

  // The ids of `text`; nothing is put before or after. Any bytes are text. The ids' token_bytes() are the
  // text again, except that a byte for which the vocabulary has no token is left out (published
  // vocabularies lack some that UTF-8 text hardly has).
  virtual std::vector<TokenId> encode(std::string_view text, bool parse_special) const = 0;

  // The parts are one text (merges and pre-tokens cross part borders where no special token stands
  // between): only the recognition of special tokens differs by part, and their spellings do not reach
  // across a border.
  virtual std::vector<TokenId> encode_parts(std::span<const TextPart> parts) const = 0;

  // The bytes a token stands for; for a special token its spelling. Empty for an id outside the vocabulary.
  virtual std::string_view token_bytes(TokenId id) const = 0;

  // Control tokens: left out of text by skip_special_tokens.
  virtual bool is_special(TokenId id) const = 0;

  // All bytes of `ids`, malformed UTF-8 replaced by U+FFFD.
  virtual std::string decode(std::span<const TokenId> ids, bool skip_special) const = 0;

  virtual const TokenizerSpec& spec() const = 0;
  virtual int32_t vocab_size() const = 0;
};

// Decodes one sequence as its tokens come. A character is held back until its bytes are all there.
class IncrementalDecoder {
 public:
  // With skip_special, control tokens but those in `shown`, which outlives it, are left out.
  IncrementalDecoder(const Tokenizer& tokenizer, bool skip_special, std::span<const TokenId> shown = {})
      : tokenizer_(tokenizer), skip_special_(skip_special), shown_(shown) {}

  // Appends what became whole text to `out`.
  void push(TokenId id, std::string& out);

  // The sequence has ended: bytes still held back become U+FFFD.
  void finish(std::string& out);

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::span<const TokenId> shown_;
  std::string pending_;  // at most 3 bytes between calls
};

}  // namespace quire
