// Opens a model and brings up everything that serves it: what `quire serve`, `chat`, `complete` and `bench`
// start from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "chat/chat_template.h"
#include "config/engine_config.h"
#include "config/model_config.h"
#include "engine/llm_engine.h"
#include "grammar/grammar_compiler.h"
#include "tokenizer/tokenizer.h"
#include "weights/packed_weights.h"

namespace quire {

struct EngineHandle {
  EngineConfig config;  // as resolved: no zero that means "default" is left
  ModelConfig model;
  std::unique_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<const ChatTemplate> chat_template;  // null if the file has none
  std::vector<TokenId> eos_token_ids;                 // for SamplingParams::eos_token_ids
  std::unique_ptr<GrammarCompiler> grammars;          // for SamplingParams::grammar
  std::unique_ptr<LLMEngine> engine;                  // started
};

// What is done goes to the log; how far packing the weights is, to `progress`. `clock` and `metrics` outlive
// the handle.
Expected<EngineHandle> open_engine(
    const EngineConfig& config, const Clock& clock, MetricsRegistry& metrics,
    PackProgress progress = [](int64_t, int64_t) {});

// That the operator's own chat template, a file, can be used. Errors (param chat_template) say why not.
Expected<> check_chat_template(const std::string& path);

}  // namespace quire
