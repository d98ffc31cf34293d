// The body of POST /v1/chat/completions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/requests/generation_request.h"
#include "server/requests/template_options.h"
#include "server/requests/tools_request.h"

namespace quire {

struct ChatMessage {
  std::string role;     // system, user, assistant or tool; what they mean is the template's to say
  std::string content;  // parts are joined with line breaks
  std::optional<std::string> name = {};
  std::optional<std::string> tool_call_id = {};
  // Of the assistant's.
  bool has_content = true;  // false: it was null or left out, beside tool_calls or reasoning
  std::vector<MessageToolCall> tool_calls = {};
  std::optional<std::string> reasoning_content = {};
};

struct ChatRequest : GenerationRequest {
  std::vector<ChatMessage> messages;  // at least one
  ToolOffer offer;
  TemplateOptions rendering;
  // As the client gave them; sampling.logprobs says both.
  bool logprobs = false;
  std::optional<int32_t> top_logprobs;
};

// The table of its fields. `request` outlives it.
std::vector<FieldRule> chat_rules(ChatRequest& request);

// Errors name the field.
Expected<ChatRequest> read_chat_request(const JsonFields& body);

// Of {"type": "refusal", "refusal": "..."}, a part in which some model said what it would not do: a text.
std::vector<FieldRule> refusal_rules(std::string& text);
bool is_refusal(const JsonFields& part);

// Adds a part to a text of parts: they are joined with line breaks. Without any there is no text.
void append_part(std::optional<std::string>& text, std::string_view part);

// Of a field that says how much a model is to think, which is the template's to make use of. `rendering`
// outlives it.
FieldReader effort_into(TemplateOptions& rendering);

// Of the field `messages`, which other endpoints have too. `messages` outlives it.
FieldReader messages_into(std::vector<ChatMessage>& messages);

}  // namespace quire
