// The body of POST /v1/chat/completions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/generation_request.h"
#include "server/tools_request.h"

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
  bool add_generation_prompt = true;
};

// Errors name the field.
Expected<ChatRequest> read_chat_request(const JsonFields& body);

// The value of a field `messages`; /tokenize takes them too.
Expected<std::vector<ChatMessage>> read_messages(const JsonField& field);

}  // namespace quire
