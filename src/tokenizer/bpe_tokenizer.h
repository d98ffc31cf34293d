// The Tokenizer of GGUF's model "gpt2": special tokens, then pre-tokenization, then byte-level BPE, word by
// word.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/merge_table.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace quire {

class BpeTokenizer final : public Tokenizer {
 public:
  // Errors: kUnsupported for a pre-tokenizer not in pre_tokenizer_names(), kCorrupt for a spec that
  // contradicts itself.
  static Expected<std::unique_ptr<Tokenizer>> create(TokenizerSpec spec);

  std::vector<TokenId> encode(std::string_view text, bool parse_special) const override;
  std::vector<TokenId> encode_parts(std::span<const TextPart> parts) const override;
  std::string_view token_bytes(TokenId id) const override;
  bool is_special(TokenId id) const override;
  std::string decode(std::span<const TokenId> ids, bool skip_special) const override;
  const TokenizerSpec& spec() const override { return spec_; }
  int32_t vocab_size() const override { return vocabulary_.size(); }

 private:
  BpeTokenizer(TokenizerSpec spec, PreTokenizer rules, Vocabulary vocabulary, MergeTable merges);

  Expected<> add_special_tokens();
  void find_whole_words();
  // `text` is all parts after each other.
  std::vector<TokenId> encode_joined(std::string_view text, std::span<const TextPart> parts) const;
  // Appends the tokens of a text without special tokens.
  void encode_plain(std::string_view text, std::vector<TokenId>& out) const;

  TokenizerSpec spec_;
  PreTokenizer rules_;
  Vocabulary vocabulary_;
  MergeTable merges_;
  SpecialTokens always_;  // user-defined tokens: vocabulary like any other, wherever they stand
  SpecialTokens
      on_demand_;  // those, and the control tokens that only a part with parse_special may contain
  // By token: a word of exactly its bytes is this token, so there is nothing to merge.
  std::vector<bool> whole_word_;
};

}  // namespace quire
