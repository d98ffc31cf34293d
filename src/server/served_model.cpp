#include "server/served_model.h"

#include <algorithm>

#include "base/check.h"

namespace quire {

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
      output(describe_output(tokenizer, chat_template, parsers, created)) {
  CHECK(!this->names.empty());
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    longest_token_bytes = std::max(longest_token_bytes, tokenizer.token_bytes(id).size());
  }
}

bool ServedModel::has_name(std::string_view name) const {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace quire
