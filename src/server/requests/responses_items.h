// Items of OpenAI's responses, read into the messages that chat templates know.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/requests/chat_request.h"

namespace quire {

// The item of a stored response that has this id, as JSON, or nothing.
using FindItem = std::function<std::optional<std::string>(std::string_view id)>;

// The value of `input`: a text or items. What the assistant thought, said and called between two turns of
// others is one message. `items` has them as they were written, references resolved. Errors name `input`.
Expected<> read_input(const JsonField& field, const FindItem& find_item, std::vector<ChatMessage>& messages,
                      std::vector<std::string>& items);
void write_input_schema(JsonWriter& json);

// `item`, JSON of one, as lists of items have it: with `id` after the prefix of its type if it has no id,
// with its type, and with its content in parts.
std::string listed_item(std::string_view item, std::string_view id);

}  // namespace quire
