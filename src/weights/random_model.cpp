#include "weights/random_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "config/tokenizer_spec.h"
#include "weights/gguf_writer.h"
#include "weights/quantize.h"

namespace quire {
namespace {

// Pairs of tokens that merge, by rank; "G" with a dot above (U+0120) is a space in GPT-2's alphabet.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kMerges{{{"\u0120", "t"},
                                                                                 {"h", "e"},
                                                                                 {"i", "n"},
                                                                                 {"\u0120t", "he"},
                                                                                 {"a", "n"},
                                                                                 {"\u0120", "a"},
                                                                                 {"e", "r"},
                                                                                 {"o", "n"},
                                                                                 {"r", "e"},
                                                                                 {"an", "d"},
                                                                                 {"in", "g"},
                                                                                 {"\u0120", "s"},
                                                                                 {"o", "u"},
                                                                                 {"l", "l"},
                                                                                 {"e", "n"},
                                                                                 {"\u0120", "w"}}};

constexpr std::string_view kChatTemplate =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

void append_utf8(std::string& out, uint32_t code) {  // below U+0800
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for U+0100 and on, in order.
std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens(256);
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    append_utf8(tokens[byte], printable ? byte : next++);
  }
  return tokens;
}

void add_tokenizer(const RandomModelSpec& spec, GgufWriter& writer) {
  std::vector<std::string> tokens{"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<int32_t> types(tokens.size(), static_cast<int32_t>(TokenType::kControl));
  std::ranges::copy(byte_tokens(), std::back_inserter(tokens));
  std::vector<std::string> merges;
  for (const auto& [left, right] : kMerges) {
    tokens.push_back(fmt::format("{}{}", left, right));
    merges.push_back(fmt::format("{} {}", left, right));
  }
  types.resize(tokens.size(), static_cast<int32_t>(TokenType::kNormal));
  for (int i = 0; tokens.size() < static_cast<size_t>(spec.vocab); ++i)
    tokens.push_back(fmt::format("<|unused_{}|>", i));
  types.resize(tokens.size(), static_cast<int32_t>(TokenType::kUnused));

  writer.add_string("tokenizer.ggml.model", "gpt2");
  writer.add_string("tokenizer.ggml.pre", spec.pre_tokenizer);
  writer.add_strings("tokenizer.ggml.tokens", tokens);
  writer.add_i32s("tokenizer.ggml.token_type", types);
  writer.add_strings("tokenizer.ggml.merges", merges);
  writer.add_u32("tokenizer.ggml.bos_token_id", 1);
  writer.add_u32("tokenizer.ggml.eos_token_id", 2);
  writer.add_u32("tokenizer.ggml.unknown_token_id", 0);
  writer.add_u32("tokenizer.ggml.padding_token_id", 2);
  writer.add_bool("tokenizer.ggml.add_bos_token", false);
  writer.add_string("tokenizer.chat_template", kChatTemplate);
}

// GGUF's general.file_type: the type of most matrices.
uint32_t file_type(DType dtype) {
  switch (dtype) {
    case DType::kF32: return 0;
    case DType::kF16: return 1;
    case DType::kQ4_0: return 2;
    case DType::kQ4_1: return 3;
    case DType::kQ8_0: return 7;
    case DType::kBF16: return 32;
  }
  return 0;
}

void add_config(const RandomModelSpec& spec, GgufWriter& writer) {
  const auto add = [&](const char* key, int32_t value) {
    writer.add_u32(spec.architecture + key, static_cast<uint32_t>(value));
  };
  writer.add_string("general.architecture", spec.architecture);
  writer.add_string("general.name", fmt::format("random {}x{}", spec.layers, spec.hidden));
  writer.add_u32("general.file_type", file_type(spec.matrix_dtype));
  writer.add_u32("general.quantization_version", 2);
  add(".block_count", spec.layers);
  add(".context_length", spec.context);
  add(".embedding_length", spec.hidden);
  add(".feed_forward_length", spec.ff);
  add(".attention.head_count", spec.heads);
  add(".attention.head_count_kv", spec.kv_heads);
  add(".attention.key_length", spec.head_dim);
  add(".attention.value_length", spec.head_dim);
  add(".rope.dimension_count", spec.head_dim);
  add(".vocab_size", spec.vocab);
  writer.add_f32(spec.architecture + ".rope.freq_base", spec.rope_base);
  writer.add_f32(spec.architecture + ".attention.layer_norm_rms_epsilon", 1e-5F);
}

// What a tensor's random numbers are multiplied by, and what is added.
struct Content {
  DType dtype;
  int64_t cols;
  float deviation, mean;
};

// Declares the tensors in the order in which they are written, and says what each holds.
std::vector<Content> add_tensors(const RandomModelSpec& spec, GgufWriter& writer) {
  std::vector<Content> contents;
  const auto matrix = [&](const std::string& name, DType dtype, int64_t cols, int64_t rows,
                          float deviation) {
    writer.add_tensor(name, dtype, cols, rows);
    contents.push_back({dtype, cols, deviation, 0});
  };
  const auto linear = [&](const std::string& name, int64_t cols, int64_t rows) {
    matrix(name, spec.matrix_dtype, cols, rows, 1 / std::sqrt(static_cast<float>(cols)));
  };
  const auto vector = [&](const std::string& name, int64_t cols, float mean) {
    writer.add_tensor(name, DType::kF32, cols);
    contents.push_back({DType::kF32, cols, 0.1F, mean});
  };
  const int64_t q_width = int64_t{spec.heads} * spec.head_dim;
  const int64_t kv_width = int64_t{spec.kv_heads} * spec.head_dim;

  matrix("token_embd.weight", spec.embedding_dtype, spec.hidden, spec.vocab,
         1 / std::sqrt(static_cast<float>(spec.hidden)));
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    vector(block + "attn_norm.weight", spec.hidden, 1);
    linear(block + "attn_q.weight", spec.hidden, q_width);
    linear(block + "attn_k.weight", spec.hidden, kv_width);
    linear(block + "attn_v.weight", spec.hidden, kv_width);
    if (spec.qkv_bias) {
      vector(block + "attn_q.bias", q_width, 0);
      vector(block + "attn_k.bias", kv_width, 0);
      vector(block + "attn_v.bias", kv_width, 0);
    }
    linear(block + "attn_output.weight", q_width, spec.hidden);
    vector(block + "ffn_norm.weight", spec.hidden, 1);
    linear(block + "ffn_gate.weight", spec.hidden, spec.ff);
    linear(block + "ffn_up.weight", spec.hidden, spec.ff);
    linear(block + "ffn_down.weight", spec.ff, spec.hidden);
  }
  vector("output_norm.weight", spec.hidden, 1);
  if (!spec.tied) linear("output.weight", spec.hidden, spec.vocab);
  return contents;
}

// Mean 0, deviation 1: the sum of four uniform numbers of 16 bits, from one draw.
float near_normal(uint64_t bits) {
  int64_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<int64_t>(bits >> (16 * i) & 0xffff);
  constexpr double kDeviation = 37837.2;  // 65536 * sqrt(4 / 12)
  return static_cast<float>((static_cast<double>(sum) - 2 * 65535.0) / kDeviation);
}

void fill_row(const Content& content, uint64_t seed, int64_t row, std::vector<float>& values,
              std::span<std::byte> out) {
  values.resize(static_cast<size_t>(content.cols));
  const auto first = static_cast<uint64_t>(row * content.cols);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = near_normal(random_bits(seed, first + i)) * content.deviation + content.mean;
  }
  quantize_row(content.dtype, values, out);
}

Expected<> check_spec(const RandomModelSpec& spec) {
  const auto positive = {spec.layers,   spec.hidden, spec.heads,  spec.kv_heads,
                         spec.head_dim, spec.ff,     spec.context};
  if (spec.architecture.empty() || std::ranges::min(positive) < 1) {
    return fail(ErrorCode::kInvalidArgument,
                "a random model needs an architecture and sizes of at least 1");
  }
  if (spec.heads % spec.kv_heads != 0 || spec.head_dim % 2 != 0) {
    return fail(ErrorCode::kInvalidArgument,
                "a random model cannot have {} heads of {} with {} key-value heads", spec.heads,
                spec.head_dim, spec.kv_heads);
  }
  if (spec.vocab < kRandomModelMinVocab) {
    return fail(ErrorCode::kInvalidArgument, "a random model needs a vocabulary of at least {}",
                kRandomModelMinVocab);
  }
  const int64_t block = block_elements(spec.matrix_dtype);
  if (spec.hidden % std::max(block, block_elements(spec.embedding_dtype)) != 0 || spec.ff % block != 0 ||
      int64_t{spec.heads} * spec.head_dim % block != 0) {
    return fail(ErrorCode::kInvalidArgument, "the sizes of a random model of {} must be multiples of {}",
                to_string(spec.matrix_dtype), kQuantBlock);
  }
  return {};
}

}  // namespace

Expected<> write_random_model(const RandomModelSpec& spec, const std::string& path, ThreadPool& pool) {
  if (auto checked = check_spec(spec); !checked) return checked;
  GgufWriter writer;
  add_config(spec, writer);
  add_tokenizer(spec, writer);
  const std::vector<Content> contents = add_tensors(spec, writer);
  std::vector<std::vector<float>> scratch(static_cast<size_t>(pool.num_threads()));
  return writer.write(
      path, [&](size_t tensor, int64_t begin, int64_t end, std::span<std::byte> out) -> Expected<> {
        const Content& content = contents[tensor];
        const auto bytes = static_cast<size_t>(row_bytes(content.dtype, content.cols));
        const uint64_t seed = random_bits(spec.seed, tensor);
        pool.split(end - begin, 1, [&](int thread, int64_t from, int64_t to) {
          for (int64_t row = from; row < to; ++row) {
            fill_row(content, seed, begin + row, scratch[static_cast<size_t>(thread)],
                     out.subspan(static_cast<size_t>(row) * bytes, bytes));
          }
        });
        return {};
      });
}

}  // namespace quire
