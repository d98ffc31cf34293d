#include "server/served_model.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace quire {
namespace {

std::string fingerprint_of(const EngineConfig& config) {
  std::string_view file = config.model;
  file.remove_prefix(file.find_last_of('/') + 1);  // npos + 1 is 0
  const std::string text = fmt::format("{} {} {} {} {}", QUIRE_VERSION, file, config.kv_cache_dtype,
                                       config.activations, config.max_model_len);
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  std::string name = "fp_";
  for (size_t i = 0; i < 5; ++i) name += fmt::format("{:02x}", digest[i]);
  return name;
}

}  // namespace

ServedModel::ServedModel(EngineHandle& handle, std::vector<std::string> names, const Clock& clock,
                         const ParserNames& parsers)
    : engine(*handle.engine),
      tokenizer(*handle.tokenizer),
      grammars(*handle.grammars),
      chat_template(handle.chat_template.get()),
      names(std::move(names)),
      eos_token_ids(handle.eos_token_ids),
      clock(clock),
      created(clock.unix_seconds()),
      hidden_size(handle.model.hidden_size),
      pooling(handle.model.pooling == Pooling::kNone ? Pooling::kLast : handle.model.pooling),
      output(describe_output(tokenizer, chat_template, parsers, created)),
      fingerprint(fingerprint_of(handle.config)) {
  CHECK(!this->names.empty());
  std::vector<TokenId> marks = output.call_marks;
  marks.insert(marks.end(), output.reasoning_marks.begin(), output.reasoning_marks.end());
  grammars.set_text_tokens(std::move(marks));
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    longest_token_bytes = std::max(longest_token_bytes, tokenizer.token_bytes(id).size());
  }
}

bool ServedModel::has_name(std::string_view name) const {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace quire
