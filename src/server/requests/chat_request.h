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
  bool has_content = true;  // false beside tool_calls: it was null or left out
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

// Of the field `messages`, which other endpoints have too. `messages` outlives it.
FieldReader messages_into(std::vector<ChatMessage>& messages);

}  // namespace quire
