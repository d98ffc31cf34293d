// The tokens that end a generation.
#pragma once

#include <vector>

#include "base/types.h"
#include "config/tokenizer_spec.h"

namespace quire {

// What the file names as the end of a text, a turn or a message (of one that calls tools, as
// <|eom_id|>), the end of the text first; then control tokens that families of models have for it though
// their files may not say so. No id twice.
std::vector<TokenId> end_token_ids(const TokenizerSpec& spec);

}  // namespace quire
