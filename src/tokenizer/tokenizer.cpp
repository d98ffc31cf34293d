#include "tokenizer/tokenizer.h"

#include <algorithm>

#include <utility>

#include "base/text.h"
#include "tokenizer/bpe_tokenizer.h"

namespace quire {

Expected<std::unique_ptr<Tokenizer>> Tokenizer::create(TokenizerSpec spec) {
  if (spec.model == "gpt2") return BpeTokenizer::create(std::move(spec));
  return fail(ErrorCode::kUnsupported, "the tokenizer model '{}' is not supported; supported is gpt2",
              replace_invalid_utf8(spec.model.substr(0, 100)));
}

void IncrementalDecoder::push(TokenId id, std::string& out) {
  if (skip_special_ && tokenizer_.is_special(id) && std::ranges::find(shown_, id) == shown_.end()) return;
  pending_ += tokenizer_.token_bytes(id);
  const size_t complete = complete_utf8_length(pending_);
  out += replace_invalid_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
}

void IncrementalDecoder::finish(std::string& out) {
  out += replace_invalid_utf8(pending_);
  pending_.clear();
}

}  // namespace quire
