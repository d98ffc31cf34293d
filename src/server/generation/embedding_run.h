// The embeddings of a request's inputs in the making: one engine request an input, each answered with one
// vector of length 1 (its Euclidean norm). Its end, however it comes, frees what the engine holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/generation/answer_run.h"
#include "server/generation/generation.h"
#include "server/requests/embedding_request.h"
#include "server/served_model.h"

namespace quire {

class EmbeddingRun final : public AnswerRun {
 public:
  // Tokenizes and submits all inputs or none. Errors name the field.
  static ApiExpected<std::unique_ptr<EmbeddingRun>> start(const ServedModel& model,
                                                          EmbeddingRequest request);
  ~EmbeddingRun() override;

  bool stream() const override { return false; }
  void set_notify(std::function<void()> notify) override;
  Progress advance(std::string& body) override;
  const std::optional<ApiError>& error() const override { return error_; }
  std::string note() const override;
  Usage usage() const override { return {.prompt_tokens = num_prompt_tokens_}; }

 private:
  struct Input {
    std::shared_ptr<RequestStream> stream;  // null once it has ended
    std::vector<float> embedding;
  };
  EmbeddingRun(const ServedModel& model, const EmbeddingRequest& request);
  void poll(Input& input);
  void write(std::string& body) const;

  LLMEngine& engine_;
  const std::string model_;  // as the answer names it
  const bool base64_;
  const std::optional<int64_t> dimensions_;
  std::vector<Input> inputs_;
  int64_t num_prompt_tokens_ = 0;
  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::optional<ApiError> error_;
  std::vector<TokenDelta> deltas_;  // scratch
};

}  // namespace quire
