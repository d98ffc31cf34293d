// How an endpoint puts what was generated into its own words. A GenerationRun knows when there is something
// to say, its AnswerWriter how: as the whole answer at once, or as the events of a stream. Each answer has a
// writer of its own, which may remember what it has written; called by one thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/output_processor.h"
#include "server/generation/generation.h"
#include "server/generation/usage.h"
#include "server/http/api_error.h"
#include "tokenizer/tokenizer.h"

namespace quire {

// A call of a tool that a choice makes; in a stream, what has come of it since the last piece.
struct ChoiceCall {
  int32_t index = 0;  // within its choice
  std::string id;     // empty, as the name is, where the call goes on
  std::string name;
  std::string arguments;   // JSON text of an object, or a part of it
  bool whole = false;      // the arguments end here
  size_t text_before = 0;  // of the choice's `text`, the bytes that come first
  int64_t begins_at = 0;   // tokens of the text before it have a smaller text_offset, those behind it none

  bool begins() const { return !id.empty(); }
};

// A choice of the answer: all of it, or in a stream what has come since the last piece.
struct ChoiceResult {
  int32_t index = 0;
  size_t prompt = 0;
  bool first = true;      // nothing of it was written yet
  std::string text;       // of chats the content alone
  std::string reasoning;  // of chats
  std::vector<ChoiceCall> calls;
  int32_t num_calls = 0;  // in all pieces
  bool has_whole_call = false;
  // With echo, the prompt's too; a logprob of NaN stands for "none". Their text_offset counts characters
  // (code points) of the choice's text, as OpenAI's does.
  std::vector<OutputToken> tokens;
  // Of answers that want these instead: those of `text` alone (content_tokens.h); text_offset is in bytes of
  // what the model wrote.
  std::vector<OutputToken> content_tokens;
  size_t num_echoed = 0;       // of `tokens`, the first so many are the prompt's
  int64_t num_characters = 0;  // of the text of all tokens so far
  FinishReason finish_reason = FinishReason::kNone;
  std::variant<std::monostate, TokenId, std::string> stop_reason;

  bool ended() const { return finish_reason != FinishReason::kNone; }
  bool has_news() const {
    return !text.empty() || !reasoning.empty() || !calls.empty() || !tokens.empty() || ended();
  }
  // It stopped in order to have tools called.
  bool stopped_for_calls() const { return finish_reason == FinishReason::kStop && has_whole_call; }
  // Adds what came of a call: to the last one here, if it goes on with it.
  void add_call(ChoiceCall call);

  // Text and calls in the order in which they came: write_text(text, end) where there is some, all of whose
  // tokens have a text_offset before `end`, and write_call(call).
  template <class WriteText, class WriteCall>
  void in_order(WriteText&& write_text, WriteCall&& write_call) const {
    std::string_view rest = text;
    for (const ChoiceCall& call : calls) {
      const size_t before = call.text_before - (text.size() - rest.size());
      if (before > 0) write_text(rest.substr(0, before), call.begins_at);
      rest.remove_prefix(before);
      write_call(call);
    }
    if (!rest.empty()) write_text(rest, std::numeric_limits<int64_t>::max());
  }
};

// What all events and choices of one answer share.
struct ResponseContext {
  const Tokenizer& tokenizer;
  std::string id;
  std::string model;
  std::string fingerprint;  // ServedModel's
  int64_t created = 0;
  bool logprobs = false;
  bool skip_special_tokens = true;
  bool return_token_ids = false;
  bool prompt_logprobs = false;  // asked for by that name (echo's come in the choices' logprobs)
  std::vector<std::vector<TokenId>> prompts = {};  // by prompt; kept when return_token_ids is set
};

// What an answer has so far.
struct AnswerState {
  const ResponseContext& context;
  std::span<const ChoiceResult> choices;
  const Generation& generation;
  const Usage& usage;
};

// All functions append to `out`.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;

  // All choices have ended. An error becomes the answer instead.
  virtual ApiExpected<> write_answer(std::string& out, const AnswerState& state) = 0;

  // Before the first piece of a stream.
  virtual void begin_stream(std::string&, const AnswerState&) {}
  // What `choice`, one of state.choices, has got since its last piece; if it has ended, this is the last.
  virtual void write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) = 0;
  // After the last piece of every choice.
  virtual void end_stream(std::string& out, const AnswerState& state) = 0;
  // Instead of end_stream: the answer ends in its middle.
  virtual void fail_stream(std::string& out, const AnswerState& state, const ApiError& error) = 0;
};

}  // namespace quire
