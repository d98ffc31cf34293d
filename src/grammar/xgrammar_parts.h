// What CompiledGrammar hides: for the two files that speak with xgrammar.
#pragma once

#include <xgrammar/xgrammar.h>

#include "grammar/compiled_grammar.h"

namespace quire {

struct CompiledGrammar::Parts {
  xgrammar::CompiledGrammar grammar;
};

}  // namespace quire
