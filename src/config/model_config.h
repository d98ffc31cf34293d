// What a model file says of its model. Filled by weights, read by models (which alone knows architectures).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/pooling.h"

namespace quire {

enum class RopeStyle { kInterleaved, kHalf };  // pairs (2i, 2i+1), or (i, i + dim/2)

// Layers that share one block table. One group holds all layers unless a model mixes kinds of attention.
struct KvGroup {
  std::vector<int32_t> layers;
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;
};

struct ModelConfig {
  std::string architecture;
  std::string name;
  int32_t num_layers = 0;
  int32_t hidden_size = 0;
  int32_t intermediate_size = 0;
  int32_t num_heads = 0;
  int32_t num_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t vocab_size = 0;
  int32_t context_length = 0;
  float norm_epsilon = 0;
  float rope_base = 10000;
  float rope_scale = 1;             // positions are multiplied by it (linear scaling)
  int32_t rope_dim = 0;             // leading dimensions of a head that are rotated
  std::vector<float> rope_factors;  // [rope_dim / 2], each frequency is divided by its own; empty: none
  RopeStyle rope_style = RopeStyle::kInterleaved;
  bool tied_embeddings = false;
  Pooling pooling = Pooling::kNone;  // what its embeddings were trained with; kNone: the file does not say
  std::vector<KvGroup> kv_groups;
};

}  // namespace quire
