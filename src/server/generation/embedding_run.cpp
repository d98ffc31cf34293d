#include "server/generation/embedding_run.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <bit>
#include <cmath>
#include <utility>

#include "server/generation/generation_run.h"
#include "server/generation/prompt.h"
#include "server/json/json_writer.h"

namespace quire {
namespace {

constexpr int64_t kManyFloats = 8192;  // in an answer: a few milliseconds

// Cut to its first `width` values, and made a vector of length 1; one of zeros stays as it is.
void normalize(std::vector<float>& embedding, size_t width) {
  embedding.resize(width);
  double squares = 0;
  for (const float value : embedding) squares += double{value} * value;
  if (squares == 0) return;
  const double scale = 1 / std::sqrt(squares);
  for (float& value : embedding) value = static_cast<float>(value * scale);
}

std::string to_base64(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little);
  std::string text(4 * ((values.size_bytes() + 2) / 3) + 1,
                   '\0');  // and the zero that OpenSSL ends it with
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(values.data()),
                  static_cast<int>(values.size_bytes()));
  text.pop_back();
  return text;
}

Expected<> check_dimensions(const ServedModel& model, const EmbeddingRequest& request) {
  if (!request.dimensions || *request.dimensions <= model.hidden_size) return {};
  return fail_param("dimensions", "dimensions must be at most {}, the width of this model, but is {}",
                    model.hidden_size, *request.dimensions);
}

}  // namespace

ApiExpected<std::unique_ptr<EmbeddingRun>> EmbeddingRun::start(const ServedModel& model,
                                                               EmbeddingRequest request) {
  if (auto checked = check_dimensions(model, request); !checked) return api_failure(checked.error());
  SamplingParams sampling;
  sampling.max_tokens = 1;
  sampling.temperature = 0;
  sampling.pooling = request.pooling.value_or(model.pooling);
  const auto params = std::make_shared<const SamplingParams>(std::move(sampling));
  std::unique_ptr<EmbeddingRun> run(new EmbeddingRun(model, request));
  std::vector<EngineRequest> requests;
  for (auto& input : request.inputs) {
    auto tokens = tokenize_input(model, request, std::move(input));
    if (!tokens) return api_failure(tokens.error());
    run->num_prompt_tokens_ += std::ssize(*tokens);
    requests.push_back({.prompt = std::move(*tokens),
                        .params = params,
                        .tenant = request.tenant,
                        .cache_salt = request.cache_salt});
  }
  auto streams = RequestStreams::submit(model, std::move(requests));
  if (!streams) return std::unexpected(std::move(streams.error()));
  run->streams_ = std::move(*streams);
  run->embeddings_.resize(run->streams_->size());
  return run;
}

EmbeddingRun::EmbeddingRun(const ServedModel& model, const EmbeddingRequest& request)
    : model_(request.model.empty() ? model.names.front() : request.model),
      base64_(request.base64),
      width_(request.dimensions.value_or(model.hidden_size)) {}

bool EmbeddingRun::takes_long() const { return std::ssize(embeddings_) * width_ > kManyFloats; }

AnswerRun::Progress EmbeddingRun::advance(std::string& body) {
  bool open = false;
  for (size_t i = 0; i < embeddings_.size(); ++i) {
    if (streams_->open(i)) poll(i);
    if (error_) return Progress::kDone;
    open |= streams_->open(i);
  }
  if (open) return Progress::kMore;
  write(body);
  return Progress::kDone;
}

void EmbeddingRun::poll(size_t input) {
  deltas_.clear();
  if (streams_->poll(input, deltas_)) return;
  const FinishReason reason = deltas_.empty() ? FinishReason::kError : deltas_.back().finish_reason;
  if (reason != FinishReason::kStop) {
    error_ = failure_of(reason);
    return;
  }
  embeddings_[input] = std::move(deltas_.back().embedding);
  normalize(embeddings_[input], static_cast<size_t>(width_));
}

void EmbeddingRun::write(std::string& body) const {
  JsonWriter json(body);
  json.begin_object();
  json.field("object", "list");
  json.key("data");
  json.begin_array();
  for (size_t i = 0; i < embeddings_.size(); ++i) {
    json.begin_object();
    json.field("object", "embedding");
    json.field("index", i);
    json.key("embedding");
    if (base64_) {
      json.string(to_base64(embeddings_[i]));
    } else {
      json.begin_array();
      for (const float value : embeddings_[i]) json.number(value);
      json.end_array();
    }
    json.end_object();
  }
  json.end_array();
  json.field("model", model_);
  json.key("usage");
  json.begin_object();
  json.field("prompt_tokens", num_prompt_tokens_);
  json.field("total_tokens", num_prompt_tokens_);
  json.end_object();
  json.end_object();
}

Usage EmbeddingRun::usage() const {
  return {.prompt_tokens = num_prompt_tokens_, .cached_tokens = streams_->num_cached_tokens()};
}

std::optional<GenerationTrace> EmbeddingRun::trace() const {
  GenerationTrace trace{.times = streams_->times(),
                        .response_id = {},
                        .model = model_,
                        .input_tokens = num_prompt_tokens_,
                        .cached_tokens = streams_->num_cached_tokens(),
                        .finish_reasons = {},
                        .embedding_width = width_,
                        .seed = {}};
  // Nothing is decoded: with the last embedding the last prompt has been read.
  trace.times.first_token_ns = std::exchange(trace.times.last_token_ns, 0);
  return trace;
}

std::string EmbeddingRun::note() const {
  return fmt::format("{} inputs, {} tokens", embeddings_.size(), num_prompt_tokens_);
}

}  // namespace quire
