#include "weights/gguf_config.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace quire {
namespace {

constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxIntermediate = 1 << 22;
constexpr int64_t kMaxHeads = 4096;
constexpr int64_t kMaxHeadDim = 1024;
constexpr int64_t kMaxVocab = 1 << 24;
constexpr int64_t kMaxContext = 1 << 24;

// Looks keys up, and remembers the first that is missing, mistyped or out of range. Values after it are
// meaningless.
class KeyReader {
 public:
  KeyReader(const GgufMetadata& metadata, std::string prefix)
      : metadata_(metadata), prefix_(std::move(prefix)) {}

  int32_t integer(const char* key, int64_t min, int64_t max) {
    reject_array(key);
    return static_cast<int32_t>(keep(metadata_.integer(prefix_ + key, min, max)));
  }
  int32_t integer_or(const char* key, int64_t fallback, int64_t min, int64_t max) {
    reject_array(key);
    return static_cast<int32_t>(keep(value_or(metadata_.integer(prefix_ + key, min, max), fallback)));
  }
  double number(const char* key, double min, double max) {
    return keep(metadata_.number(prefix_ + key, min, max));
  }
  double number_or(const char* key, double fallback, double min, double max) {
    return keep(value_or(metadata_.number(prefix_ + key, min, max), fallback));
  }
  bool boolean_or(const char* key, bool fallback) {
    return keep(value_or(metadata_.boolean(prefix_ + key), fallback));
  }
  std::string string(const char* key) { return std::string(keep(metadata_.string(prefix_ + key))); }
  std::string string_or(const char* key, std::string_view fallback) {
    return std::string(keep(value_or(metadata_.string(prefix_ + key), fallback)));
  }
  std::vector<std::string> strings(const char* key) { return keep(metadata_.strings(prefix_ + key)); }

  bool has(const char* key) const { return metadata_.find(prefix_ + key) != nullptr; }
  std::string name(const char* key) const { return printable(prefix_ + key); }

  template <class... Args>
  void set_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    if (!error_) error_ = fail(code, format, std::forward<Args>(args)...).error();
  }
  bool ok() const { return !error_; }

  // The error, with the file's name. A required key that is missing is the file's fault.
  std::unexpected<Error> error(const GgufFile& file) const {
    const ErrorCode code = error_->code == ErrorCode::kNotFound ? ErrorCode::kCorrupt : error_->code;
    return fail(code, "cannot use the model in '{}': {}", file.path(), error_->message);
  }

 private:
  // Some models give a number for each layer.
  void reject_array(const char* key) {
    const GgufMetadata::Entry* entry = metadata_.find(prefix_ + key);
    if (!entry || entry->type != GgufType::kArray) return;
    set_error(ErrorCode::kUnsupported, "layers that differ (key '{}' is an array) are not supported",
              name(key));
  }

  template <class T>
  T keep(Expected<T> found) {
    if (found) return std::move(*found);
    if (!error_) error_ = found.error();
    return T{};
  }

  const GgufMetadata& metadata_;
  std::string prefix_;
  std::optional<Error> error_;
};

void read_attention(KeyReader& keys, ModelConfig& config) {
  config.num_heads = keys.integer("attention.head_count", 1, kMaxHeads);
  config.num_kv_heads = keys.integer_or("attention.head_count_kv", config.num_heads, 1, kMaxHeads);
  if (!keys.ok()) return;
  if (config.num_heads % config.num_kv_heads != 0) {
    return keys.set_error(ErrorCode::kCorrupt, "its {} heads cannot share {} key-value heads evenly",
                          config.num_heads, config.num_kv_heads);
  }
  if (!keys.has("attention.key_length") && config.hidden_size % config.num_heads != 0) {
    return keys.set_error(ErrorCode::kCorrupt, "its width of {} cannot be split into {} heads",
                          config.hidden_size, config.num_heads);
  }
  config.head_dim =
      keys.integer_or("attention.key_length", config.hidden_size / config.num_heads, 2, kMaxHeadDim);
  const int32_t value_dim = keys.integer_or("attention.value_length", config.head_dim, 1, kMaxHeadDim);
  if (keys.ok() && (config.head_dim % 2 != 0 || config.head_dim > kMaxHeadDim || config.head_dim < 2)) {
    keys.set_error(ErrorCode::kCorrupt, "the size of a head must be even and 2 to {}, but is {}",
                   kMaxHeadDim, config.head_dim);
  }
  if (keys.ok() && value_dim != config.head_dim) {
    keys.set_error(ErrorCode::kUnsupported, "values of {} dimensions beside keys of {} are not supported",
                   value_dim, config.head_dim);
  }
}

void read_rope(KeyReader& keys, ModelConfig& config) {
  if (!keys.ok()) return;
  config.rope_base = static_cast<float>(keys.number_or("rope.freq_base", 10000, 1, 1e12));
  config.rope_dim = keys.integer_or("rope.dimension_count", config.head_dim, 2, config.head_dim);
  if (config.rope_dim % 2 != 0) {
    keys.set_error(ErrorCode::kCorrupt, "key '{}' must be even, but is {}",
                   keys.name("rope.dimension_count"), config.rope_dim);
  }
  const std::string scaling =
      keys.string_or("rope.scaling.type", keys.has("rope.scaling.factor") ? "linear" : "none");
  if (scaling == "linear") {
    config.rope_scale = static_cast<float>(1 / keys.number_or("rope.scaling.factor", 1, 1e-3, 1e6));
  } else if (scaling != "none") {
    keys.set_error(ErrorCode::kUnsupported, "scaling of rotary positions by '{}' is not supported",
                   printable(scaling));
  }
}

// What would change results if it were ignored.
void reject_unsupported(KeyReader& keys, const ModelConfig& config) {
  if (const int32_t experts = keys.integer_or("expert_count", 0, 0, std::numeric_limits<int32_t>::max());
      experts > 0) {
    keys.set_error(ErrorCode::kUnsupported, "a mixture of {} experts is not supported", experts);
  }
  const int32_t window =
      keys.integer_or("attention.sliding_window", 0, 0, std::numeric_limits<int32_t>::max());
  if (window > 0 && window < config.context_length) {
    keys.set_error(ErrorCode::kUnsupported, "attention in a window of {} tokens is not supported", window);
  }
  if (!keys.boolean_or("attention.causal", true)) {
    keys.set_error(ErrorCode::kUnsupported, "it is no language model: its attention is not causal");
  }
}

// As GGUF files number them. Ranking (4) scores a pair of texts and gives no embedding.
void read_pooling(KeyReader& keys, ModelConfig& config) {
  constexpr std::array kPoolings = {Pooling::kNone, Pooling::kMean, Pooling::kCls, Pooling::kLast,
                                    Pooling::kNone};
  const int32_t number = keys.integer_or("pooling_type", 0, 0, std::ssize(kPoolings) - 1);
  if (keys.ok()) config.pooling = kPoolings[static_cast<size_t>(number)];
}

// The vocabulary has three witnesses: the embedding's rows, the list of tokens and a key.
void read_vocab(KeyReader& keys, const GgufFile& file, ModelConfig& config) {
  const GgufTensor* embedding = file.find_tensor("token_embd.weight");
  if (!embedding) return keys.set_error(ErrorCode::kCorrupt, "it has no tensor 'token_embd.weight'");
  if (embedding->num_dims != 2 || embedding->cols() != config.hidden_size) {
    return keys.set_error(ErrorCode::kCorrupt,
                          "tensor 'token_embd.weight' has the shape {}, but the model's width is {}",
                          format_dims(*embedding), config.hidden_size);
  }
  if (embedding->rows() > kMaxVocab) {
    return keys.set_error(ErrorCode::kCorrupt, "a vocabulary of {} tokens is too large", embedding->rows());
  }
  config.vocab_size = static_cast<int32_t>(embedding->rows());
  const int32_t stated = keys.integer_or("vocab_size", config.vocab_size, 1, kMaxVocab);
  const GgufMetadata::Entry* tokens = file.metadata().find("tokenizer.ggml.tokens");
  const auto listed = tokens ? tokens->count : static_cast<uint64_t>(config.vocab_size);
  if (keys.ok() && (stated != config.vocab_size || listed != static_cast<uint64_t>(config.vocab_size))) {
    keys.set_error(
        ErrorCode::kCorrupt,
        "the size of the vocabulary is {} by its embeddings, {} by the list of tokens and {} by key '{}'",
        config.vocab_size, listed, stated, keys.name("vocab_size"));
  }
  config.tied_embeddings = file.find_tensor("output.weight") == nullptr;
}

std::vector<TokenType> read_token_types(KeyReader& keys, const GgufMetadata& metadata, size_t count) {
  const auto numbers =
      value_or(metadata.integers("tokenizer.ggml.token_type", 1, 6), std::vector<int64_t>(count, 1));
  if (!numbers) {
    keys.set_error(numbers.error().code, "{}", numbers.error().message);
    return {};
  }
  if (numbers->size() != count) {
    keys.set_error(ErrorCode::kCorrupt, "it has {} token types for {} tokens", numbers->size(), count);
  }
  std::vector<TokenType> types(numbers->size());
  std::ranges::transform(*numbers, types.begin(),
                         [](int64_t number) { return static_cast<TokenType>(number); });
  return types;
}

}  // namespace

Expected<ModelConfig> read_model_config(const GgufFile& file) {
  KeyReader general(file.metadata(), "general.");
  ModelConfig config;
  config.architecture = general.string("architecture");
  config.name = general.string_or("name", "");
  if (!general.ok()) return general.error(file);

  KeyReader keys(file.metadata(), config.architecture + ".");
  config.num_layers = keys.integer("block_count", 1, kMaxLayers);
  config.hidden_size = keys.integer("embedding_length", 1, kMaxWidth);
  config.intermediate_size = keys.integer("feed_forward_length", 1, kMaxIntermediate);
  config.context_length = keys.integer("context_length", 1, kMaxContext);
  constexpr const char* kRmsEpsilon = "attention.layer_norm_rms_epsilon";
  const char* epsilon = keys.has(kRmsEpsilon) ? kRmsEpsilon : "attention.layer_norm_epsilon";
  config.norm_epsilon = static_cast<float>(keys.number(epsilon, 1e-20, 1));
  if (keys.ok()) read_attention(keys, config);
  if (keys.ok()) read_rope(keys, config);
  if (keys.ok()) reject_unsupported(keys, config);
  if (keys.ok()) read_pooling(keys, config);
  if (keys.ok()) read_vocab(keys, file, config);
  if (!keys.ok()) return keys.error(file);

  KvGroup group{std::vector<int32_t>(static_cast<size_t>(config.num_layers)), config.num_kv_heads,
                config.head_dim};
  std::iota(group.layers.begin(), group.layers.end(), 0);
  config.kv_groups.push_back(std::move(group));
  return config;
}

Expected<TokenizerSpec> read_tokenizer_spec(const GgufFile& file) {
  KeyReader keys(file.metadata(), "tokenizer.");
  TokenizerSpec spec;
  spec.model = keys.string("ggml.model");
  spec.pre_tokenizer = keys.string_or("ggml.pre", "");
  spec.tokens = keys.strings("ggml.tokens");
  if (keys.ok() && (spec.tokens.empty() || spec.tokens.size() > static_cast<size_t>(kMaxVocab))) {
    keys.set_error(ErrorCode::kCorrupt, "its tokenizer has {} tokens", spec.tokens.size());
  }
  if (!keys.ok()) return keys.error(file);
  spec.types = read_token_types(keys, file.metadata(), spec.tokens.size());
  if (keys.has("ggml.merges")) spec.merges = keys.strings("ggml.merges");

  const auto token_id = [&](const char* key) -> std::optional<TokenId> {
    if (!keys.has(key)) return std::nullopt;
    return keys.integer(key, 0, static_cast<int64_t>(spec.tokens.size()) - 1);
  };
  spec.bos = token_id("ggml.bos_token_id");
  spec.eos = token_id("ggml.eos_token_id");
  spec.eot = token_id("ggml.eot_token_id");
  spec.eom = token_id("ggml.eom_token_id");
  spec.unknown = token_id("ggml.unknown_token_id");
  spec.padding = token_id("ggml.padding_token_id");
  spec.add_bos = keys.boolean_or("ggml.add_bos_token", false);
  spec.chat_template = keys.string_or("chat_template", "");
  if (!keys.ok()) return keys.error(file);
  return spec;
}

}  // namespace quire
