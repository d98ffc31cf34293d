// What the rest of Quire knows of a model's architecture: a row in a registry. Only this room names
// architectures.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "config/model_config.h"
#include "graph/graph.h"
#include "weights/gguf_file.h"

namespace quire {

struct Architecture {
  std::string_view name;  // general.architecture of GGUF

  // Completes what the file's keys left open (rotary style, tied embeddings, frequency factors).
  Expected<> (*configure)(const GgufFile& file, ModelConfig& config);

  // The forward pass, from token ids to the logits of the selected rows. Weights are named, typed and
  // measured after the file; one that is missing, of a wrong shape, or left over is an error that names it.
  Expected<Graph> (*trace)(const GgufFile& file, const ModelConfig& config);
};

// In order of name.
std::span<const Architecture> architectures();

// kUnsupported lists the known names.
Expected<const Architecture*> find_architecture(std::string_view name);

}  // namespace quire
