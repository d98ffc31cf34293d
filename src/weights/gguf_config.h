// What a GGUF file says of its model and tokenizer, checked: ranges, and agreement with each other and with
// the tensors. Nothing here knows an architecture; `general.architecture` only gives the prefix of the
// model's keys.
#pragma once

#include "base/error.h"
#include "config/model_config.h"
#include "config/tokenizer_spec.h"
#include "weights/gguf_file.h"

namespace quire {

// Everything but rope_style, which the models room decides by architecture. kUnsupported: what no model of
// this build has (scalings of rotary positions other than linear, experts, attention windows, layers that
// differ in their heads).
Expected<ModelConfig> read_model_config(const GgufFile& file);

// Every list has one entry a token; ids lie in the vocabulary.
Expected<TokenizerSpec> read_tokenizer_spec(const GgufFile& file);

}  // namespace quire
