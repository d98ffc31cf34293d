#include "server/requests/message_blocks.h"

#include <utility>

#include "chat/tool_call.h"
#include "server/json/template_value.h"

namespace quire {
namespace {

// The block's type and its members, of which each kind of block reads its own.
struct ContentBlock {
  std::string type;
  JsonFields fields;
};

Expected<ContentBlock> read_block(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::string_view type;
  if (object->object["type"].get_string().get(type) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "a content block has no type");
  }
  return ContentBlock{std::string(type), *object};
}

std::unexpected<Error> unsupported_block(std::string_view type, std::string_view place) {
  return fail(ErrorCode::kUnsupported, "a content block of type '{}' is not supported in {}", excerpt(type),
              place);
}

Expected<std::string> read_text_block(const ContentBlock& block) {
  std::string type;
  std::optional<std::string> text;
  const FieldRule rules[] = {
      {"type", into(type)}, {"text", into(text)}, object_without_effect("cache_control")};
  if (auto read = read_fields(block.fields, rules, "a content block"); !read)
    return std::unexpected(read.error());
  if (!text) return fail(ErrorCode::kInvalidArgument, "a content block has no text");
  return std::move(*text);
}

void append_text(std::string& text, bool& first, std::string_view more) {
  if (!std::exchange(first, false)) text += '\n';
  text += more;
}

// What the model called: {"type": "tool_use", "id", "name", "input"}
Expected<MessageToolCall> read_tool_use(const ContentBlock& block) {
  MessageToolCall call;
  std::string type;
  const auto read_input = [&](const JsonField& input) -> Expected<> {
    if (auto object = read_object(input); !object) return std::unexpected(object.error());
    call.arguments_json = simdjson::minify(input.value);
    call.arguments = template_value(input.value);
    return {};
  };
  const FieldRule rules[] = {{"type", into(type)},
                             {"id", into(call.id)},
                             {"name", into(call.name)},
                             {"input", read_input},
                             object_without_effect("cache_control")};
  if (auto read = read_fields(block.fields, rules, "a tool_use block"); !read)
    return std::unexpected(read.error());
  if (call.id.empty()) return fail(ErrorCode::kInvalidArgument, "a tool_use block needs its id");
  if (!is_tool_name(call.name))
    return fail(ErrorCode::kInvalidArgument, "a tool_use block needs a tool's name");
  if (call.arguments_json.empty())
    return fail(ErrorCode::kInvalidArgument, "a tool_use block needs its input");
  return call;
}

// What a tool brought: {"type": "tool_result", "tool_use_id", "content", "is_error"}
Expected<ChatMessage> read_tool_result(const ContentBlock& block) {
  ChatMessage message{.role = "tool", .content = {}};
  std::string type, id;
  bool is_error = false;  // the content says so, too
  const FieldRule rules[] = {{"type", into(type)},
                             {"tool_use_id", into(id)},
                             {"content",
                              [&](const JsonField& content) -> Expected<> {
                                auto text = read_block_text(content);
                                if (!text) return std::unexpected(text.error());
                                message.content = std::move(*text);
                                return {};
                              }},
                             {"is_error", into(is_error)},
                             object_without_effect("cache_control")};
  if (auto read = read_fields(block.fields, rules, "a tool_result block"); !read)
    return std::unexpected(read.error());
  if (id.empty()) return fail(ErrorCode::kInvalidArgument, "a tool_result block needs its tool_use_id");
  message.tool_call_id = std::move(id);
  return message;
}

// {"type": "thinking", "thinking", "signature"}
Expected<std::string> read_thinking(const ContentBlock& block) {
  std::string type, thinking, signature;
  const FieldRule rules[] = {
      {"type", into(type)}, {"thinking", into(thinking)}, {"signature", into(signature)}};
  if (auto read = read_fields(block.fields, rules, "a thinking block"); !read)
    return std::unexpected(read.error());
  return thinking;
}

Expected<> take_assistant_block(const ContentBlock& block, bool& first, ChatMessage& message) {
  if (block.type == "text") {
    auto text = read_text_block(block);
    if (!text) return std::unexpected(text.error());
    append_text(message.content, first, *text);
    return {};
  }
  if (block.type == "thinking") {
    auto thinking = read_thinking(block);
    if (!thinking) return std::unexpected(thinking.error());
    message.reasoning_content = std::move(*thinking);
    return {};
  }
  if (block.type != "tool_use") return unsupported_block(block.type, "a message of the assistant");
  if (message.tool_calls.size() == kMaxMessageToolCalls) {
    return fail(ErrorCode::kInvalidArgument, "content takes at most {} tool_use blocks",
                kMaxMessageToolCalls);
  }
  auto call = read_tool_use(block);
  if (!call) return std::unexpected(call.error());
  message.tool_calls.push_back(std::move(*call));
  return {};
}

Expected<> take_user_block(const ContentBlock& block, bool& first, ChatMessage& message,
                           std::vector<ChatMessage>& messages) {
  if (block.type == "text") {
    auto text = read_text_block(block);
    if (!text) return std::unexpected(text.error());
    append_text(message.content, first, *text);
    return {};
  }
  if (block.type != "tool_result") return unsupported_block(block.type, "a message of the user");
  auto result = read_tool_result(block);
  if (!result) return std::unexpected(result.error());
  messages.push_back(std::move(*result));
  return {};
}

Expected<> read_blocks(JsonArray blocks, bool ignore_unknown, ChatMessage message,
                       std::vector<ChatMessage>& messages) {
  bool first = true;
  bool has_results = false;
  for (const JsonValue value : blocks) {
    const auto block = read_block({"a content block", value, ignore_unknown});
    if (!block) return std::unexpected(block.error());
    auto taken = message.role == "assistant" ? take_assistant_block(*block, first, message)
                                             : take_user_block(*block, first, message, messages);
    if (!taken) return taken;
    has_results |= block->type == "tool_result";
  }
  if (has_results && first) return {};  // nothing is said beside
  message.has_content = !first;
  messages.push_back(std::move(message));
  return {};
}

Expected<> read_turn_role(const JsonField& field, std::string& role) {
  auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (*text != "user" && *text != "assistant") {
    return fail(ErrorCode::kInvalidArgument,
                "role must be user or assistant, but is '{}' (what the system says is the field 'system')",
                excerpt(*text));
  }
  role = std::move(*text);
  return {};
}

}  // namespace

FieldRule object_without_effect(std::string_view name) { return {name, no_effect({.type = "object"})}; }

Expected<std::string> read_block_text(const JsonField& field) {
  if (field.value.is_string()) return read_string(field);
  JsonArray blocks;
  if (field.value.get_array().get(blocks) != simdjson::SUCCESS) {
    return fail_param(std::string(field.name),
                      "{} must be a string or an array of content blocks, but is {}", field.name,
                      type_name(field.value));
  }
  std::string text;
  bool first = true;
  for (const JsonValue value : blocks) {
    const auto block = read_block({"a content block", value, field.ignore_unknown});
    if (!block) return std::unexpected(block.error());
    if (block->type != "text") return unsupported_block(block->type, "this place: send text");
    auto piece = read_text_block(*block);
    if (!piece) return piece;
    append_text(text, first, *piece);
  }
  return text;
}

Expected<> read_turn(const JsonField& field, std::vector<ChatMessage>& messages) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  ChatMessage message;
  std::optional<JsonValue> content;
  const FieldRule rules[] = {
      {"role", [&](const JsonField& role) { return read_turn_role(role, message.role); }},
      {"content",
       [&](const JsonField& value) -> Expected<> {
         content = value.value;
         return {};
       }},
  };
  if (auto read = read_fields(*object, rules, "a message"); !read) return read;
  if (message.role.empty()) return fail(ErrorCode::kInvalidArgument, "role is required");
  if (!content) return fail(ErrorCode::kInvalidArgument, "content is required");
  JsonArray blocks;
  if (content->get_array().get(blocks) == simdjson::SUCCESS) {
    return read_blocks(blocks, field.ignore_unknown, std::move(message), messages);
  }
  auto text = read_block_text({"content", *content, field.ignore_unknown});
  if (!text) return std::unexpected(text.error());
  message.content = std::move(*text);
  messages.push_back(std::move(message));
  return {};
}

Expected<Tool> read_message_tool(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  Tool tool;
  std::string type = "custom";
  const auto read_schema = [&](const JsonField& schema) { return read_parameters(schema, tool); };
  const FieldRule rules[] = {
      {"type", into(type)},          {"name", into(tool.name)},     {"description", into(tool.description)},
      {"input_schema", read_schema}, {"strict", into(tool.strict)}, object_without_effect("cache_control")};
  if (auto read = read_fields(*object, rules, "a tool"); !read) return std::unexpected(read.error());
  if (type != "custom") {
    return fail(ErrorCode::kUnsupported, "type must be 'custom', but is '{}'", excerpt(type));
  }
  if (!is_tool_name(tool.name)) {
    return fail(ErrorCode::kInvalidArgument,
                "name must be 1 to {} of the letters a-z and A-Z, digits, _ and -, but is '{}'",
                kMaxToolNameBytes, excerpt(tool.name));
  }
  if (tool.parameters_json.empty())
    return fail(ErrorCode::kInvalidArgument, "a tool needs its input_schema");
  return tool;
}

}  // namespace quire
