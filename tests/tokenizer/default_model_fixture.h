// The default model's tokenizer, read from its file once.
#pragma once

#include "tokenizer/tokenizer.h"

namespace quire {

// Null if the file cannot be read; the reason is then a test failure.
const Tokenizer* default_tokenizer();

}  // namespace quire
