// A generated answer in the making: takes what the engine brings and has its writer turn that into the bytes
// of a response, at once as events or as one JSON text at the end. Its end, however it comes, frees what the
// engine holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/generation/answer_run.h"
#include "server/generation/answer_writer.h"
#include "server/generation/choice_parser.h"
#include "server/generation/generation.h"
#include "server/generation/prompt.h"
#include "server/http/api_error.h"

namespace quire {

struct RunOptions {
  bool stream = false;
  bool echo = false;            // of each prompt its echo_text
  bool echo_tokens = false;     // and its tokens, where those of the answer are shown
  bool prompt_only = false;     // what is generated is not shown
  bool content_tokens = false;  // where tokens are shown, those of the content alone
  bool drop_reasoning = false;  // it is not shown, though it counts
  Asker asker = {};
  bool keep_text = false;  // of what is asked and answered, as much as a log may show
};

// Why a request whose stream ended for `reason` has no answer.
ApiError failure_of(FinishReason reason);

class GenerationRun final : public AnswerRun {
 public:
  // `context.prompts` is filled here. Errors: those of Generation::start.
  static ApiExpected<std::unique_ptr<GenerationRun>> start(const ServedModel& model,
                                                           const RunOptions& options,
                                                           std::unique_ptr<AnswerWriter> writer,
                                                           ResponseContext context,
                                                           std::vector<PreparedPrompt> prompts);

  bool stream() const override { return options_.stream; }
  // As Generation::set_notify.
  void set_notify(std::function<void()> notify) override { generation_->set_notify(std::move(notify)); }
  Progress advance(std::string& body) override;
  const std::optional<ApiError>& error() const override { return error_; }
  std::string note() const override;
  std::optional<GenerationTrace> trace() const override;
  Usage usage() const override;
  bool takes_long() const override;
  // Of the first prompt and the first choice, if RunOptions asked for it.
  AnswerText text() const override { return kept_; }

 private:
  GenerationRun(const RunOptions& options, std::unique_ptr<AnswerWriter> writer, ResponseContext context,
                std::vector<PreparedPrompt> prompts, std::unique_ptr<Generation> generation);
  void take(ChoiceDelta& piece);
  void keep_prompt();
  void open_choice(ChoiceResult& choice);
  void take_text(TextDelta& delta, size_t index);
  void append_tokens(ChoiceResult& choice, std::vector<OutputToken> tokens, bool skip_special);
  bool keeps_tokens() const { return context_.logprobs || context_.return_token_ids; }
  AnswerState state() const { return {context_, choices_, *generation_, usage_}; }
  void write_pieces(std::string& body);
  void write_end(std::string& body);

  const RunOptions options_;
  const std::unique_ptr<AnswerWriter> writer_;
  ResponseContext context_;
  std::vector<PreparedPrompt> prompts_;
  std::vector<ChoiceResult> choices_;                   // prompt * n + continuation
  std::vector<std::unique_ptr<ChoiceParser>> parsers_;  // by choice; null where text is content
  std::vector<bool> opened_;                            // by choice: open_choice was done
  std::vector<bool> touched_;                           // by choice: it is in to_write_
  std::vector<size_t> to_write_;  // choices with something new, in the order of arrival
  bool begun_ = false;            // something of the stream was written
  std::unique_ptr<Generation> generation_;
  std::optional<ApiError> error_;
  Usage usage_;
  AnswerText kept_;
  std::vector<ChoiceDelta> pieces_;  // scratch
};

}  // namespace quire
