#include "models/published_shapes.h"

#include <array>

namespace quire {
namespace {

RandomModelSpec llama(int32_t layers, int32_t hidden, int32_t heads, int32_t kv_heads, int32_t head_dim,
                      int32_t ff, int32_t vocab, float rope_base) {
  return {.architecture = "llama",
          .layers = layers,
          .hidden = hidden,
          .heads = heads,
          .kv_heads = kv_heads,
          .head_dim = head_dim,
          .ff = ff,
          .vocab = vocab,
          .context = 8192,
          .rope_base = rope_base};
}

}  // namespace

std::span<const PublishedShape> published_shapes() {
  static const std::array<PublishedShape, 3> shapes{{
      {"llama-1b", llama(16, 2048, 32, 8, 64, 8192, 128256, 500000)},
      {"llama-135m", llama(30, 576, 9, 3, 64, 1536, 49152, 100000)},
      {"llama-8b", llama(32, 4096, 32, 8, 128, 14336, 128256, 500000)},
  }};
  return shapes;
}

}  // namespace quire
