// Content blocks of Anthropic's messages, read into the messages that chat templates know.
#pragma once

#include <string>
#include <vector>

#include "server/requests/chat_request.h"

namespace quire {

// A string, or text blocks, which are joined with line breaks.
Expected<std::string> read_block_text(const JsonField& field);
void write_block_text_schema(JsonWriter& json);

// A turn of the user or the assistant: {"role", "content"}. What tools brought comes before what the user
// says, each in a message of its own. A turn of the role that spoke last goes on with it: both are one.
// Errors name no field.
Expected<> read_turn(const JsonField& field, std::vector<ChatMessage>& messages);
void write_turn_schema(JsonWriter& json);

// {"name", "description", "input_schema"}
Expected<Tool> read_message_tool(const JsonField& field);
void write_message_tool_schema(JsonWriter& json);

}  // namespace quire
