// An answer in the making: takes what the engine brings and turns it into the bytes of a response, at once
// as events or as one JSON text at the end, or as the prefix that it has pinned. Belongs to one connection;
// its end, however it comes, frees what the engine holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api_error.h"
#include "server/generation.h"
#include "server/generation_request.h"
#include "server/prompt.h"
#include "server/response_format.h"

namespace quire {

struct RunOptions {
  const ResponseFormat* format = nullptr;
  bool stream = false;
  bool include_usage = false;
  bool echo = false;
  bool prompt_only = false;  // what is generated is not shown
  Asker asker = {};
};

class GenerationRun {
 public:
  // `context.prompts` is filled here. Errors: those of Generation::start.
  static ApiExpected<std::unique_ptr<GenerationRun>> start(const ServedModel& model,
                                                           const RunOptions& options,
                                                           ResponseContext context,
                                                           std::vector<PreparedPrompt> prompts);

  bool stream() const { return options_.stream; }
  // As Generation::set_notify.
  void set_notify(std::function<void()> notify) { generation_->set_notify(std::move(notify)); }

  enum class Progress { kMore, kDone };

  // Appends to `body` what is ready of it: for a stream the events, else nothing before kDone and then all
  // of it. A stream that fails ends with an error event; another answer then has error() and no body.
  Progress advance(std::string& body);

  const std::optional<ApiError>& error() const { return error_; }
  const Usage& usage() const { return usage_; }

 private:
  GenerationRun(const RunOptions& options, ResponseContext context, std::vector<PreparedPrompt> prompts,
                std::unique_ptr<Generation> generation, const ServedModel& model);
  void take(ChoiceDelta& piece);
  void open_choice(ChoiceResult& choice);
  void append_tokens(ChoiceResult& choice, std::vector<OutputToken> tokens, bool skip_special);
  bool keeps_tokens() const { return context_.logprobs || context_.return_token_ids; }
  void write_chunks(std::string& body);
  void write_end(std::string& body);
  void write_prefix(std::string& body);

  const ServedModel& model_;
  const RunOptions options_;
  ResponseContext context_;
  std::vector<PreparedPrompt> prompts_;
  std::vector<ChoiceResult> choices_;  // prompt * n + continuation
  std::vector<bool> opened_;           // by choice: open_choice was done
  std::vector<bool> touched_;          // by choice: it is in to_write_
  std::vector<size_t> to_write_;       // choices with something new, in the order of arrival
  std::unique_ptr<Generation> generation_;
  std::optional<ApiError> error_;
  Usage usage_;
  std::vector<ChoiceDelta> pieces_;  // scratch
};

}  // namespace quire
