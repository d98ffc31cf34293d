// Llama (Touvron et al. 2023) and all that share its forward: grouped-query attention, rotary embedding on
// interleaved pairs as GGUF stores them, RMS norms, and a gated feed-forward.
#pragma once

#include "base/error.h"
#include "config/model_config.h"
#include "graph/graph.h"
#include "weights/gguf_file.h"

namespace quire {

Expected<> configure_llama(const GgufFile& file, ModelConfig& config);
Expected<Graph> trace_llama(const GgufFile& file, const ModelConfig& config);

}  // namespace quire
