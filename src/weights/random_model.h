// Model files with random weights and a small byte-level tokenizer: for tests that need a whole model but
// not a clever one, and for speed tests at any shape. The same spec gives the same file, byte for byte.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace quire {

struct RandomModelSpec {
  // general.architecture, and the prefix of its keys; the tensors have GGUF's common names.
  std::string architecture = {};
  int32_t layers = 2;
  int32_t hidden = 64;
  int32_t heads = 4;
  int32_t kv_heads = 2;
  int32_t head_dim = 16;
  int32_t ff = 128;
  int32_t vocab = 512;  // at least kRandomModelMinVocab
  int32_t context = 256;
  float rope_base = 10000;
  DType matrix_dtype = DType::kQ4_1;     // of the layers' matrices and an untied output
  DType embedding_dtype = DType::kQ8_0;  // of token_embd
  bool tied = true;                      // else there is an output.weight
  bool qkv_bias = false;
  std::string pre_tokenizer = "smollm";
  uint64_t seed = 1;
};

// Three special tokens (0 <|endoftext|>, 1 <|im_start|>, 2 <|im_end|>, which is EOS), 256 bytes, then
// merges; the rest of the vocabulary is unused spellings. The chat template is ChatML.
inline constexpr int32_t kRandomModelMinVocab = 3 + 256 + 16;

// Streams the file to `path`, whatever its size; `pool` makes the weights in parallel. Weights are near
// normal with a deviation of 1/sqrt(columns), so that activations stay near 1. kInvalidArgument for a spec
// that no model could have.
Expected<> write_random_model(const RandomModelSpec& spec, const std::string& path, ThreadPool& pool);

}  // namespace quire
