#include "tokenizer/end_tokens.h"

#include <algorithm>
#include <string_view>

namespace quire {
namespace {

constexpr std::string_view kEndSpellings[] = {
    "<|eot_id|>",      "<|eom_id|>",    "<|im_end|>",           "<|end|>",
    "<|end_of_turn|>", "<end_of_turn>", "<｜end▁of▁sentence｜>"};

}  // namespace

std::vector<TokenId> end_token_ids(const TokenizerSpec& spec) {
  std::vector<TokenId> ids;
  const auto add = [&](TokenId id) {
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  };
  for (const auto& id : {spec.eos, spec.eot, spec.eom}) {
    if (id) add(*id);
  }
  for (size_t id = 0; id < std::min(spec.tokens.size(), spec.types.size()); ++id) {
    const bool control = spec.types[id] == TokenType::kControl;
    if (control && std::ranges::find(kEndSpellings, spec.tokens[id]) != std::end(kEndSpellings)) {
      add(static_cast<TokenId>(id));
    }
  }
  return ids;
}

}  // namespace quire
