// The engine as the HTTP front sees it: what requests are checked against and sent to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/engine_handle.h"
#include "server/model_output.h"

namespace quire {

struct ServedModel {
  // `handle` and `clock` outlive it.
  ServedModel(EngineHandle& handle, std::vector<std::string> names, const Clock& clock,
              const ParserNames& parsers = {});

  bool has_name(std::string_view name) const;
  int32_t max_model_len() const { return engine.options().max_model_len; }

  LLMEngine& engine;
  const Tokenizer& tokenizer;
  GrammarCompiler& grammars;
  const ChatTemplate* chat_template;  // null if the model has none
  std::vector<std::string> names;     // at least one; the first is the one that answers carry
  std::vector<TokenId> eos_token_ids;
  const Clock& clock;
  int64_t created;      // unix seconds
  int32_t hidden_size;  // values of an embedding
  Pooling pooling;      // what the file asks for, or kLast
  ModelOutput output;
  // Of what decides which tokens come: the program's version, the model, how it is computed.
  std::string fingerprint;
  // Bytes of the vocabulary's longest token: a text of N bytes has at least N / this tokens.
  size_t longest_token_bytes = 1;
};

}  // namespace quire
