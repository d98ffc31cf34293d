// The embeddings of a request's inputs in the making: one engine request an input, each answered with one
// vector of length 1 (its Euclidean norm). Its end, however it comes, frees what the engine holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/generation/answer_run.h"
#include "server/generation/request_streams.h"
#include "server/requests/embedding_request.h"
#include "server/served_model.h"

namespace quire {

class EmbeddingRun final : public AnswerRun {
 public:
  // Tokenizes and submits all inputs or none. Errors name the field.
  static ApiExpected<std::unique_ptr<EmbeddingRun>> start(const ServedModel& model,
                                                          EmbeddingRequest request);

  bool stream() const override { return false; }
  void set_notify(std::function<void()> notify) override { streams_->set_notify(std::move(notify)); }
  bool takes_long() const override;
  Progress advance(std::string& body) override;
  const std::optional<ApiError>& error() const override { return error_; }
  std::string note() const override;
  Usage usage() const override;
  std::optional<GenerationTrace> trace() const override;

 private:
  EmbeddingRun(const ServedModel& model, const EmbeddingRequest& request);
  void poll(size_t input);
  void write(std::string& body) const;

  const std::string model_;  // as the answer names it
  const bool base64_;
  const int64_t width_;                         // of the embeddings in the answer
  std::unique_ptr<RequestStreams> streams_;     // one an input
  std::vector<std::vector<float>> embeddings_;  // one an input; empty until it is there
  int64_t num_prompt_tokens_ = 0;
  std::optional<ApiError> error_;
  std::vector<TokenDelta> deltas_;  // scratch
};

}  // namespace quire
