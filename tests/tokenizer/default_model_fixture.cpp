#include "tests/tokenizer/default_model_fixture.h"

#include <gtest/gtest.h>

#include <memory>

#include "weights/gguf_config.h"
#include "weights/gguf_file.h"

namespace quire {
namespace {

Expected<std::unique_ptr<Tokenizer>> read_tokenizer() {
  const auto file = GgufFile::open(QUIRE_SOURCE_DIR "/models/SmolLM2-135M-Instruct.Q4_1.gguf");
  if (!file) return std::unexpected(file.error());
  auto spec = read_tokenizer_spec(*file);
  if (!spec) return std::unexpected(spec.error());
  return Tokenizer::create(std::move(*spec));
}

}  // namespace

const Tokenizer* default_tokenizer() {
  static const auto tokenizer = read_tokenizer();
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message;
    return nullptr;
  }
  return tokenizer->get();
}

}  // namespace quire
