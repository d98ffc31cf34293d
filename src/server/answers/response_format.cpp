#include "server/answers/response_format.h"

#include "server/generation/logprobs_json.h"
#include "server/http/sse.h"

namespace quire {
namespace {

void write_ids(JsonWriter& json, std::string_view name, std::span<const TokenId> ids) {
  json.key(name);
  json.begin_array();
  for (const TokenId id : ids) json.integer(id);
  json.end_array();
}

// Of what was generated; the prompt's stand in prompt_token_ids.
void write_token_ids(JsonWriter& json, const ChoiceResult& choice) {
  json.key("token_ids");
  json.begin_array();
  for (size_t i = choice.num_echoed; i < choice.tokens.size(); ++i) json.integer(choice.tokens[i].id);
  json.end_array();
}

void write_finish(JsonWriter& json, const ChoiceResult& choice) {
  if (choice.finish_reason == FinishReason::kNone) {
    json.null_field("finish_reason");
  } else {
    json.field("finish_reason",
               choice.stopped_for_calls() ? "tool_calls" : to_string(choice.finish_reason));
  }
  if (const auto* id = std::get_if<TokenId>(&choice.stop_reason)) {
    json.field("stop_reason", *id);
  } else if (const auto* text = std::get_if<std::string>(&choice.stop_reason)) {
    json.field("stop_reason", *text);
  } else {
    json.null_field("stop_reason");
  }
}

void write_completion_choice(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.field("index", choice.index);
  json.field("text", choice.text);
  json.key("logprobs");
  if (context.logprobs) {
    write_completion_logprobs(json, context.tokenizer, choice.tokens);
  } else {
    json.null();
  }
  write_finish(json, choice);
  if (context.return_token_ids) write_token_ids(json, choice);
}

void write_chat_tail(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.key("logprobs");
  if (context.logprobs) {
    write_chat_logprobs(json, context.tokenizer, choice.tokens);
  } else {
    json.null();
  }
  write_finish(json, choice);
  if (context.return_token_ids) write_token_ids(json, choice);
}

// Of a message, or of a delta, where calls are numbered, and have their arguments piece by piece.
void write_calls(JsonWriter& json, std::span<const ChoiceCall> calls, bool with_index) {
  if (calls.empty()) return;
  json.key("tool_calls");
  json.begin_array();
  for (const auto& call : calls) {
    json.begin_object();
    if (with_index) json.field("index", call.index);
    if (call.begins()) {
      json.field("id", call.id);
      json.field("type", "function");
    }
    json.key("function");
    json.begin_object();
    if (call.begins()) json.field("name", call.name);
    json.field("arguments", call.arguments);
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

// Under vLLM's name of it, and under that which it had before.
void write_reasoning(JsonWriter& json, const ChoiceResult& choice) {
  if (choice.reasoning.empty()) return;
  json.field("reasoning", choice.reasoning);
  json.field("reasoning_content", choice.reasoning);
}

void write_chat_choice(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.field("index", choice.index);
  json.key("message");
  json.begin_object();
  json.field("role", "assistant");
  if (choice.text.empty() && !choice.calls.empty()) {
    json.null_field("content");
  } else {
    json.field("content", choice.text);
  }
  json.null_field("refusal");
  write_reasoning(json, choice);
  write_calls(json, choice.calls, false);
  json.end_object();
  write_chat_tail(json, context, choice);
}

void write_chat_chunk_choice(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.field("index", choice.index);
  json.key("delta");
  json.begin_object();
  if (choice.first) json.field("role", "assistant");
  if (choice.first || !choice.text.empty()) json.field("content", choice.text);
  write_reasoning(json, choice);
  write_calls(json, choice.calls, true);
  json.end_object();
  write_chat_tail(json, context, choice);
}

void write_prompt_ids(JsonWriter& json, const ResponseContext& context, size_t prompt) {
  if (context.return_token_ids) write_ids(json, "prompt_token_ids", context.prompts[prompt]);
}

void write_prompt(JsonWriter& json, const ResponseContext& context, const Generation& generation,
                  size_t prompt) {
  write_prompt_ids(json, context, prompt);
  if (!context.prompt_logprobs) return;
  json.key("prompt_logprobs");
  write_prompt_logprobs(json, context.tokenizer, generation.prompt_logprobs(prompt));
}

void write_usage(JsonWriter& json, const Usage& usage) {
  json.key("usage");
  json.begin_object();
  json.field("prompt_tokens", usage.prompt_tokens);
  json.field("completion_tokens", usage.completion_tokens);
  json.field("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  json.key("prompt_tokens_details");
  json.begin_object();
  json.field("cached_tokens", usage.cached_tokens);
  json.end_object();
  json.key("completion_tokens_details");
  json.begin_object();
  json.field("reasoning_tokens", usage.reasoning_tokens);
  json.end_object();
  json.end_object();
}

class OpenAiWriter final : public AnswerWriter {
 public:
  OpenAiWriter(const ResponseFormat& format, StreamUsage usage) : format_(format), usage_(usage) {}

  ApiExpected<> write_answer(std::string& out, const AnswerState& state) override;
  void write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) override;
  void end_stream(std::string& out, const AnswerState& state) override;
  void fail_stream(std::string& out, const AnswerState& state, const ApiError& error) override;

 private:
  void write_head(JsonWriter& json, std::string_view object, const ResponseContext& context) const;

  const ResponseFormat& format_;
  const StreamUsage usage_;
};

void OpenAiWriter::write_head(JsonWriter& json, std::string_view object,
                              const ResponseContext& context) const {
  json.begin_object();
  json.field("id", context.id);
  json.field("object", object);
  json.field("created", context.created);
  json.field("model", context.model);
  json.field("system_fingerprint", context.fingerprint);
}

ApiExpected<> OpenAiWriter::write_answer(std::string& out, const AnswerState& state) {
  JsonWriter json(out);
  write_head(json, format_.object, state.context);
  json.key("choices");
  json.begin_array();
  for (const auto& choice : state.choices) {
    json.begin_object();
    format_.write_choice(json, state.context, choice);
    if (!format_.prompt_on_top) write_prompt(json, state.context, state.generation, choice.prompt);
    json.end_object();
  }
  json.end_array();
  write_usage(json, state.usage);
  if (format_.prompt_on_top) write_prompt(json, state.context, state.generation, 0);
  json.end_object();
  return {};
}

void OpenAiWriter::write_piece(std::string& out, const AnswerState& state, const ChoiceResult& choice) {
  std::string chunk;
  JsonWriter json(chunk);
  write_head(json, format_.chunk_object, state.context);
  json.key("choices");
  json.begin_array();
  json.begin_object();
  format_.write_chunk_choice(json, state.context, choice);
  if (choice.first && !format_.prompt_on_top) write_prompt_ids(json, state.context, choice.prompt);
  json.end_object();
  json.end_array();
  if (choice.first && format_.prompt_on_top) write_prompt_ids(json, state.context, choice.prompt);
  if (usage_.in_each_chunk) {
    write_usage(json, state.usage);
  } else if (usage_.at_end) {
    json.null_field("usage");
  }
  json.end_object();
  append_event(out, chunk);
}

void OpenAiWriter::end_stream(std::string& out, const AnswerState& state) {
  if (usage_.at_end) {
    std::string chunk;
    JsonWriter json(chunk);
    write_head(json, format_.chunk_object, state.context);
    json.key("choices");
    json.begin_array();
    json.end_array();
    write_usage(json, state.usage);
    json.end_object();
    append_event(out, chunk);
  }
  append_done_event(out);
}

void OpenAiWriter::fail_stream(std::string& out, const AnswerState&, const ApiError& error) {
  append_event(out, to_json(error));
  append_done_event(out);
}

}  // namespace

const ResponseFormat kCompletionFormat = {
    "cmpl-", "text_completion", "text_completion", write_completion_choice, write_completion_choice, false};
const ResponseFormat kChatFormat = {"chatcmpl-",       "chat.completion",       "chat.completion.chunk",
                                    write_chat_choice, write_chat_chunk_choice, true};

std::unique_ptr<AnswerWriter> make_openai_writer(const ResponseFormat& format, StreamUsage usage) {
  return std::make_unique<OpenAiWriter>(format, usage);
}

}  // namespace quire
