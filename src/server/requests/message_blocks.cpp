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

// Whose value has been looked at already.
FieldRule type_rule(std::string_view type) {
  return {"type", no_effect({.type = "string", .choices = type}), {}, true};
}

constexpr std::string_view kNoServerTools = "this server runs no tools";

std::vector<FieldRule> text_rules(std::string& text) {
  return {type_rule("text"),
          {"text", into(text), {}, true},
          {"citations", unsupported("answers cite nothing", "[]")},
          object_without_effect("cache_control")};
}

Expected<std::string> read_text_block(const ContentBlock& block) {
  std::string text;
  if (auto read = read_fields(block.fields, text_rules(text), "a content block"); !read)
    return std::unexpected(read.error());
  return text;
}

Expected<> read_call_input(const JsonField& input, MessageToolCall& call) {
  if (auto object = read_object(input); !object) return std::unexpected(object.error());
  call.arguments_json = simdjson::minify(input.value);
  call.arguments = template_value(input.value);
  return {};
}

// What the model called: {"type": "tool_use", "id", "name", "input"}
std::vector<FieldRule> tool_use_rules(MessageToolCall& call) {
  return {type_rule("tool_use"),
          {"id", into(call.id), {}, true},
          {"name", into(call.name), {}, true},
          {"input",
           {{.type = "object"}, [&call](const JsonField& input) { return read_call_input(input, call); }},
           {},
           true},
          {"caller", unsupported(kNoServerTools, R"({"type":"direct"})")},
          object_without_effect("cache_control")};
}

Expected<MessageToolCall> read_tool_use(const ContentBlock& block) {
  MessageToolCall call;
  if (auto read = read_fields(block.fields, tool_use_rules(call), "a tool_use block"); !read)
    return std::unexpected(read.error());
  if (call.id.empty()) return fail(ErrorCode::kInvalidArgument, "a tool_use block needs its id");
  if (!is_tool_name(call.name))
    return fail(ErrorCode::kInvalidArgument, "a tool_use block needs a tool's name");
  return call;
}

// What a tool brought: {"type": "tool_result", "tool_use_id", "content", "is_error"}
std::vector<FieldRule> tool_result_rules(std::string& id, std::string& content) {
  return {type_rule("tool_result"),
          {"tool_use_id", into(id), {}, true},
          {"content",
           {{.write = write_block_text_schema},
            [&content](const JsonField& field) -> Expected<> {
              auto text = read_block_text(field);
              if (!text) return std::unexpected(text.error());
              content = std::move(*text);
              return {};
            }}},
          {"is_error", no_effect({.type = "boolean"}), "of no effect: the content says so, too"},
          object_without_effect("cache_control")};
}

Expected<ChatMessage> read_tool_result(const ContentBlock& block) {
  ChatMessage message{.role = "tool", .content = {}};
  std::string id;
  if (auto read = read_fields(block.fields, tool_result_rules(id, message.content), "a tool_result block");
      !read) {
    return std::unexpected(read.error());
  }
  if (id.empty()) return fail(ErrorCode::kInvalidArgument, "a tool_result block needs its tool_use_id");
  message.tool_call_id = std::move(id);
  return message;
}

// {"type": "thinking", "thinking", "signature"}
std::vector<FieldRule> thinking_rules(std::string& thinking) {
  return {type_rule("thinking"),
          {"thinking", into(thinking), {}, true},
          {"signature", no_effect({.type = "string"}), "of no effect"}};
}

Expected<std::string> read_thinking(const ContentBlock& block) {
  std::string thinking;
  if (auto read = read_fields(block.fields, thinking_rules(thinking), "a thinking block"); !read)
    return std::unexpected(read.error());
  return thinking;
}

using Text = std::optional<std::string>;

Expected<> append_text_block(const ContentBlock& block, Text& text) {
  const auto piece = read_text_block(block);
  if (!piece) return std::unexpected(piece.error());
  append_part(text, *piece);
  return {};
}

Expected<> take_assistant_block(const ContentBlock& block, Text& text, ChatMessage& message) {
  if (block.type == "text") return append_text_block(block, text);
  if (block.type == "thinking") {
    const auto thinking = read_thinking(block);
    if (!thinking) return std::unexpected(thinking.error());
    append_part(message.reasoning_content, *thinking);
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

Expected<> take_user_block(const ContentBlock& block, Text& text, std::vector<ChatMessage>& messages) {
  if (block.type == "text") return append_text_block(block, text);
  if (block.type != "tool_result") return unsupported_block(block.type, "a message of the user");
  auto result = read_tool_result(block);
  if (!result) return std::unexpected(result.error());
  messages.push_back(std::move(*result));
  return {};
}

Expected<> take_blocks(JsonArray blocks, bool ignore_unknown, Text& text, ChatMessage& message,
                       std::vector<ChatMessage>& messages) {
  const bool is_user = message.role == "user";
  if (is_user && blocks.size() == 0) {
    return fail(ErrorCode::kInvalidArgument, "the content of a message of the user must not be empty");
  }
  for (const JsonValue value : blocks) {
    const auto block = read_block({"a content block", value, ignore_unknown});
    if (!block) return std::unexpected(block.error());
    auto taken =
        is_user ? take_user_block(*block, text, messages) : take_assistant_block(*block, text, message);
    if (!taken) return taken;
  }
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

// A string, or blocks, which `write_block` describes.
template <class WriteBlock>
void write_text_or_blocks(JsonWriter& json, WriteBlock&& write_block) {
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  json.raw(R"({"type":"string"})");
  json.begin_object();
  json.field("type", "array");
  json.key("items");
  write_block();
  json.end_object();
  json.end_array();
  json.end_object();
}

void write_turn_content_schema(JsonWriter& json) {
  std::string text;
  MessageToolCall call;
  write_text_or_blocks(json, [&] {
    write_any_of(
        json, {},
        {text_rules(text), thinking_rules(text), tool_use_rules(call), tool_result_rules(text, text)});
  });
}

std::vector<FieldRule> turn_rules(std::string& role, std::optional<JsonValue>& content) {
  return {{"role",
           {{.type = "string", .choices = "user|assistant"},
            [&role](const JsonField& field) { return read_turn_role(field, role); }},
           "turns of one role that follow each other are one",
           true},
          {"content",
           {{.write = write_turn_content_schema},
            [&content](const JsonField& field) -> Expected<> {
              content = field.value;
              return {};
            }},
           "the user's: text and tool_result blocks; the assistant's: text, thinking and tool_use blocks",
           true}};
}

}  // namespace

Expected<std::string> read_block_text(const JsonField& field) {
  if (field.value.is_string()) return read_string(field);
  JsonArray blocks;
  if (field.value.get_array().get(blocks) != simdjson::SUCCESS) {
    return fail_param(std::string(field.name),
                      "{} must be a string or an array of content blocks, but is {}", field.name,
                      type_name(field.value));
  }
  Text text;
  for (const JsonValue value : blocks) {
    const auto block = read_block({"a content block", value, field.ignore_unknown});
    if (!block) return std::unexpected(block.error());
    if (block->type != "text") return unsupported_block(block->type, "this place: send text");
    if (auto appended = append_text_block(*block, text); !appended)
      return std::unexpected(appended.error());
  }
  return std::move(text).value_or("");
}

void write_block_text_schema(JsonWriter& json) {
  std::string text;
  write_text_or_blocks(json, [&] { write_object_schema(json, text_rules(text)); });
}

Expected<> read_turn(const JsonField& field, std::vector<ChatMessage>& messages) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  ChatMessage message;
  std::optional<JsonValue> content;
  if (auto read = read_fields(*object, turn_rules(message.role, content), "a message"); !read) return read;
  Text text;
  if (!messages.empty() && messages.back().role == message.role) {  // the turn goes on
    message = std::move(messages.back());
    messages.pop_back();
    if (message.has_content) text = std::move(message.content);
  }
  JsonArray blocks;
  if (content->get_array().get(blocks) == simdjson::SUCCESS) {
    if (auto taken = take_blocks(blocks, field.ignore_unknown, text, message, messages); !taken)
      return taken;
  } else {
    const auto said = read_block_text({"content", *content, field.ignore_unknown});
    if (!said) return std::unexpected(said.error());
    append_part(text, *said);
  }
  if (message.role == "user" && !text) return {};  // nothing is said beside what tools brought
  message.has_content = text.has_value();
  message.content = std::move(text).value_or("");
  messages.push_back(std::move(message));
  return {};
}

void write_turn_schema(JsonWriter& json) {
  std::string role;
  std::optional<JsonValue> content;
  write_object_schema(json, turn_rules(role, content));
}

namespace {

std::vector<FieldRule> tool_rules(Tool& tool) {
  return {{"type",
           {{.type = "string", .choices = "custom"},
            [](const JsonField& field) -> Expected<> {
              const auto type = read_string(field);
              if (!type) return std::unexpected(type.error());
              if (*type == "custom") return {};
              return fail(ErrorCode::kUnsupported, "type must be 'custom', but is '{}'", excerpt(*type));
            }}},
          {"name", into(tool.name), {}, true},
          {"description", into(tool.description)},
          {"input_schema",
           {{.type = "object"}, [&tool](const JsonField& schema) { return read_parameters(schema, tool); }},
           "a JSON schema of the type object",
           true},
          {"strict", into(tool.strict), "whether arguments are as the schema has them"},
          {"allowed_callers", unsupported(kNoServerTools, R"(["direct"])")},
          {"defer_loading", unsupported("all tools are shown to the model", "false")},
          {"input_examples", no_effect({.type = "array"}), "of no effect: chat templates show none"},
          {"eager_input_streaming", no_effect({.type = "boolean"}),
           "of no effect: arguments come as they are made"},
          object_without_effect("cache_control")};
}

}  // namespace

Expected<Tool> read_message_tool(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  Tool tool;
  if (auto read = read_fields(*object, tool_rules(tool), "a tool"); !read)
    return std::unexpected(read.error());
  if (auto named = check_tool_name(tool.name); !named) return std::unexpected(named.error());
  return tool;
}

void write_message_tool_schema(JsonWriter& json) {
  Tool tool;
  write_object_schema(json, tool_rules(tool));
}

}  // namespace quire
