#include "server/response_format.h"

#include "server/logprobs_json.h"

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
    json.field("finish_reason", to_string(choice.finish_reason));
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

void write_chat_choice(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.field("index", choice.index);
  json.key("message");
  json.begin_object();
  json.field("role", "assistant");
  json.field("content", choice.text);
  json.null_field("refusal");
  json.end_object();
  write_chat_tail(json, context, choice);
}

void write_chat_chunk_choice(JsonWriter& json, const ResponseContext& context, const ChoiceResult& choice) {
  json.field("index", choice.index);
  json.key("delta");
  json.begin_object();
  if (choice.first) json.field("role", "assistant");
  if (choice.first || !choice.text.empty()) json.field("content", choice.text);
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
  json.end_object();
}

void write_head(JsonWriter& json, std::string_view object, const ResponseContext& context) {
  json.begin_object();
  json.field("id", context.id);
  json.field("object", object);
  json.field("created", context.created);
  json.field("model", context.model);
}

}  // namespace

const ResponseFormat kCompletionFormat = {
    "cmpl-", "text_completion", "text_completion", write_completion_choice, write_completion_choice, false};
const ResponseFormat kChatFormat = {"chatcmpl-",       "chat.completion",       "chat.completion.chunk",
                                    write_chat_choice, write_chat_chunk_choice, true};

std::string response_json(const ResponseFormat& format, const ResponseContext& context,
                          std::span<const ChoiceResult> choices, const Generation& generation,
                          const Usage& usage) {
  std::string out;
  JsonWriter json(out);
  write_head(json, format.object, context);
  json.key("choices");
  json.begin_array();
  for (const auto& choice : choices) {
    json.begin_object();
    format.write_choice(json, context, choice);
    if (!format.prompt_on_top) write_prompt(json, context, generation, choice.prompt);
    json.end_object();
  }
  json.end_array();
  write_usage(json, usage);
  if (format.prompt_on_top) write_prompt(json, context, generation, 0);
  json.end_object();
  return out;
}

std::string chunk_json(const ResponseFormat& format, const ResponseContext& context,
                       const ChoiceResult& choice, bool with_usage_null) {
  std::string out;
  JsonWriter json(out);
  write_head(json, format.chunk_object, context);
  json.key("choices");
  json.begin_array();
  json.begin_object();
  format.write_chunk_choice(json, context, choice);
  if (choice.first && !format.prompt_on_top) write_prompt_ids(json, context, choice.prompt);
  json.end_object();
  json.end_array();
  if (choice.first && format.prompt_on_top) write_prompt_ids(json, context, choice.prompt);
  if (with_usage_null) json.null_field("usage");
  json.end_object();
  return out;
}

std::string usage_chunk_json(const ResponseFormat& format, const ResponseContext& context,
                             const Usage& usage) {
  std::string out;
  JsonWriter json(out);
  write_head(json, format.chunk_object, context);
  json.key("choices");
  json.begin_array();
  json.end_array();
  write_usage(json, usage);
  json.end_object();
  return out;
}

}  // namespace quire
