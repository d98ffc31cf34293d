// A model file: its directory, and what is made of its keys.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/check.h"
#include "tests/fuzz/fuzz_targets.h"
#include "weights/gguf_config.h"
#include "weights/gguf_file.h"

namespace quire {
namespace {

void append_bytes(std::string& out, auto value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void append_text(std::string& out, std::string_view text) {
  append_bytes(out, uint64_t{text.size()});
  out += text;
}

constexpr uint32_t kU32 = 4, kF32 = 6, kText = 8, kArray = 9;

void append_key(std::string& out, std::string_view key, uint32_t type) {
  append_text(out, key);
  append_bytes(out, type);
}

// Two keys and one tensor of 32 floats.
std::string small_gguf() {
  std::string out = "GGUF";
  append_bytes(out, uint32_t{3});
  append_bytes(out, uint64_t{1});
  append_bytes(out, uint64_t{6});
  append_key(out, "general.architecture", kText);
  append_text(out, "llama");
  append_key(out, "llama.block_count", kU32);
  append_bytes(out, uint32_t{1});
  append_key(out, "llama.rope.freq_base", kF32);
  append_bytes(out, 10000.0F);
  append_key(out, "tokenizer.ggml.model", kText);
  append_text(out, "gpt2");
  append_key(out, "tokenizer.ggml.tokens", kArray);
  append_bytes(out, kText);
  append_bytes(out, uint64_t{2});
  append_text(out, "a");
  append_text(out, "b");
  append_key(out, "tokenizer.ggml.eos_token_id", kU32);
  append_bytes(out, uint32_t{1});
  append_text(out, "output_norm.weight");
  append_bytes(out, uint32_t{1});
  append_bytes(out, uint64_t{32});
  append_bytes(out, uint32_t{0});
  append_bytes(out, uint64_t{0});
  out.resize((out.size() + 31) / 32 * 32);
  out.resize(out.size() + 128);
  return out;
}

}  // namespace

void fuzz_gguf(std::string_view input) {
  static const int kFile = memfd_create("fuzz.gguf", MFD_CLOEXEC);
  CHECK(kFile >= 0);
  CHECK(ftruncate(kFile, 0) == 0);
  CHECK(pwrite(kFile, input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()));
  const auto file = GgufFile::open("/proc/self/fd/" + std::to_string(kFile));
  if (!file) {
    CHECK(!file.error().message.empty());
    return;
  }
  for (const auto& tensor : file->tensors()) {
    CHECK(tensor.offset + tensor.bytes.size() <= file->file_bytes());
    CHECK(file->find_tensor(tensor.name) == &tensor);
  }
  if (const auto spec = read_tokenizer_spec(*file)) {
    CHECK(spec->types.size() == spec->tokens.size());
    CHECK(!spec->eos || static_cast<size_t>(*spec->eos) < spec->tokens.size());
  }
}

std::vector<std::string> gguf_seeds() {
  std::string old_version = small_gguf();
  old_version[4] = 2;
  return {small_gguf(), old_version};
}

}  // namespace quire
