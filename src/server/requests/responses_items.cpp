#include "server/requests/responses_items.h"

#include <algorithm>
#include <array>

#include "chat/tool_call.h"
#include "server/json/json_writer.h"
#include "server/json/template_value.h"

namespace quire {
namespace {

constexpr size_t kMaxInputItems = 4096;

using PartedText = std::optional<std::string>;

// The value of a member that is a string, or nothing.
std::string_view text_member(const JsonObject& object, std::string_view name) {
  std::string_view text;
  return object.at_key(name).get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

FieldRule item_type_rule(std::string_view type, bool required = true) {
  return {"type", no_effect({.type = "string", .choices = type}), {}, required};
}
FieldRule any_text(std::string_view name) { return {name, no_effect({.type = "string"})}; }

constexpr std::string_view kPartTypes = "input_text|output_text|reasoning_text|summary_text|text";

Expected<> read_item_part_type(const JsonField& field) {
  if (!check_schema(field.name, field.value, {.type = "string", .choices = kPartTypes})) {
    const std::string_view type =
        field.value.is_string() ? field.value.get_string().value_unsafe() : std::string_view();
    return fail(ErrorCode::kUnsupported,
                "the type of a content part must be input_text or output_text, but is '{}'", excerpt(type));
  }
  return {};
}

// {"type": "input_text" or "output_text", "text": "..."}
std::vector<FieldRule> item_part_rules(std::string& text) {
  return {{"type", {{.type = "string", .choices = kPartTypes}, read_item_part_type}, {}, true},
          {"text", into(text), {}, true},
          {"annotations", no_effect({.type = "array"})},
          {"logprobs", no_effect({.type = "array"})}};
}

// A string, or parts of text, which are joined with line breaks.
Expected<> read_parts(const JsonField& field, PartedText& text) {
  if (field.value.is_string()) return into(text).read(field);
  JsonArray parts;
  if (field.value.get_array().get(parts) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "{} must be a string or an array of parts, but is {}",
                field.name, type_name(field.value));
  }
  std::string piece;
  const auto rules = item_part_rules(piece), refusal = refusal_rules(piece);
  for (const JsonValue part : parts) {
    const auto object = read_object({"a content part", part, field.ignore_unknown});
    if (!object) return std::unexpected(object.error());
    if (auto read = read_fields(*object, is_refusal(*object) ? refusal : rules, "a content part"); !read)
      return read;
    append_part(text, piece);
  }
  return {};
}

void write_parts_schema(JsonWriter& json) {
  std::string text;
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  json.raw(R"({"type":"string"})");
  json.begin_object();
  json.field("type", "array");
  json.key("items");
  write_any_of(json, {}, {item_part_rules(text), refusal_rules(text)});
  json.end_object();
  json.end_array();
  json.end_object();
}

FieldReader parts_into(PartedText& text) {
  return {{.write = write_parts_schema},
          [&text](const JsonField& field) { return read_parts(field, text); }};
}

constexpr FieldSchema kInputRoles = {.type = "string", .choices = "user|assistant|system|developer"};

Expected<> read_input_role(const JsonField& field, std::string& role) {
  if (auto checked = check_schema(field.name, field.value, kInputRoles); !checked) return checked;
  const std::string_view text = field.value.get_string().value_unsafe();
  role = text == "developer" ? "system" : text;  // as templates call it
  return {};
}

std::vector<FieldRule> message_item_rules(std::string& role, PartedText& text) {
  return {item_type_rule("message", false),
          any_text("id"),
          any_text("status"),
          {"role",
           {kInputRoles, [&role](const JsonField& field) { return read_input_role(field, role); }},
           "whose words they are; developer means system",
           true},
          {"content", parts_into(text), {}, true},
          {"phase", no_effect({.type = "string", .choices = "commentary|final_answer"}), "of no effect"}};
}

std::vector<FieldRule> reasoning_item_rules(PartedText& content, PartedText& summary) {
  return {item_type_rule("reasoning"),
          any_text("id"),
          any_text("status"),
          {"encrypted_content", no_effect({.type = "string"}), "of no effect: nothing here is encrypted"},
          {"content", parts_into(content), "what the assistant thought"},
          {"summary", parts_into(summary), "of no effect"}};
}

constexpr std::string_view kDirectCaller = R"({"type":"direct"})";

std::vector<FieldRule> call_item_rules(MessageToolCall& call) {
  return {item_type_rule("function_call"),
          any_text("id"),
          any_text("status"),
          {"call_id", into(call.id), {}, true},
          {"name", into(call.name), {}, true},
          {"arguments", into(call.arguments_json), "the text of a JSON object"},
          {"caller", unsupported("this server runs no tools", kDirectCaller)}};
}

std::vector<FieldRule> output_item_rules(std::string& call_id, PartedText& output) {
  return {item_type_rule("function_call_output"),
          any_text("id"),
          any_text("status"),
          {"call_id", into(call_id), {}, true},
          {"output", parts_into(output), {}, true},
          {"caller", unsupported("this server runs no tools", kDirectCaller)}};
}

std::vector<FieldRule> reference_item_rules(std::string& id) {
  return {item_type_rule("item_reference"), {"id", into(id), "of an item of a stored response", true}};
}

constexpr int32_t kMaxReferences = 512;
constexpr size_t kMaxReferencedBytes = 4 << 20;

// Takes the items of a conversation one after the other.
class ConversationReader {
 public:
  ConversationReader(const FindItem& find_item, std::vector<ChatMessage>& messages,
                     std::vector<std::string>& items)
      : find_item_(find_item), messages_(messages), items_(items) {}

  Expected<> take(const JsonField& item) {
    const auto object = read_object(item);
    if (!object) return std::unexpected(object.error());
    if (text_member(object->object, "type") == "item_reference") return take_reference(*object);
    return take_item(*object);
  }

 private:
  Expected<> take_item(const JsonFields& object) {
    if (auto taken = take_as(text_member(object.object, "type"), object); !taken) return taken;
    items_.push_back(simdjson::minify(object.object));
    return {};
  }

  Expected<> take_as(std::string_view type, const JsonFields& object) {
    if (type.empty() || type == "message") return take_message(object);
    if (type == "reasoning") return take_reasoning(object);
    if (type == "function_call") return take_call(object);
    if (type == "function_call_output") return take_output(object);
    return fail(ErrorCode::kUnsupported,
                "type must be message, reasoning, function_call, function_call_output or item_reference, "
                "but is '{}'",
                excerpt(type));
  }

  Expected<> take_reference(const JsonFields& object) {
    std::string id;
    if (auto read = read_fields(object, reference_item_rules(id), "an item_reference"); !read) return read;
    const auto found = find_item_(id);
    if (!found) {
      return fail(ErrorCode::kInvalidArgument, "no response that is stored has an item '{}'", excerpt(id));
    }
    referenced_bytes_ += found->size();
    if (++num_references_ > kMaxReferences || referenced_bytes_ > kMaxReferencedBytes) {
      return fail(ErrorCode::kInvalidArgument,
                  "there may be at most {} references, to {} bytes of items in all", kMaxReferences,
                  kMaxReferencedBytes);
    }
    const auto document = JsonDocument::parse(*found);
    if (!document) return std::unexpected(document.error());
    return take_item({document->root(), object.ignore_unknown});
  }

  Expected<> take_message(const JsonFields& object) {
    ChatMessage message;
    PartedText text;
    if (auto read = read_fields(object, message_item_rules(message.role, text), "a message"); !read)
      return read;
    if (message.role != "assistant") {
      if (!text) return fail(ErrorCode::kInvalidArgument, "content must not be empty");
      message.content = std::move(*text);
      add(std::move(message));
      return {};
    }
    ChatMessage& turn = assistant();
    if (!text) return {};
    PartedText said;
    if (turn.has_content) said = std::move(turn.content);
    append_part(said, *text);
    turn.content = std::move(*said);
    turn.has_content = true;
    return {};
  }

  Expected<> take_reasoning(const JsonFields& object) {
    PartedText content, summary;
    if (auto read = read_fields(object, reasoning_item_rules(content, summary), "a reasoning item"); !read)
      return read;
    if (content) append_part(assistant().reasoning_content, *content);
    return {};
  }

  Expected<> take_call(const JsonFields& object) {
    MessageToolCall call;
    if (auto read = read_fields(object, call_item_rules(call), "a function_call"); !read) return read;
    if (call.id.empty()) return fail(ErrorCode::kInvalidArgument, "a function_call needs its call_id");
    if (!is_tool_name(call.name))
      return fail(ErrorCode::kInvalidArgument, "a function_call needs a function's name");
    auto arguments = read_arguments("arguments", call.arguments_json);
    if (!arguments) return std::unexpected(arguments.error());
    call.arguments = std::move(*arguments);
    ChatMessage& turn = assistant();
    if (turn.tool_calls.size() == kMaxMessageToolCalls) {
      return fail(ErrorCode::kInvalidArgument, "more than {} calls follow each other",
                  kMaxMessageToolCalls);
    }
    turn.tool_calls.push_back(std::move(call));
    return {};
  }

  Expected<> take_output(const JsonFields& object) {
    ChatMessage message{.role = "tool", .content = {}};
    std::string call_id;
    PartedText output;
    if (auto read = read_fields(object, output_item_rules(call_id, output), "a function_call_output");
        !read)
      return read;
    if (call_id.empty())
      return fail(ErrorCode::kInvalidArgument, "a function_call_output needs its call_id");
    message.content = std::move(output).value_or("");
    message.tool_call_id = std::move(call_id);
    add(std::move(message));
    return {};
  }

  // The assistant's message that is going on.
  ChatMessage& assistant() {
    if (!in_turn_) messages_.push_back({.role = "assistant", .content = {}, .has_content = false});
    in_turn_ = true;
    return messages_.back();
  }

  void add(ChatMessage message) {
    in_turn_ = false;
    messages_.push_back(std::move(message));
  }

  const FindItem& find_item_;
  std::vector<ChatMessage>& messages_;
  std::vector<std::string>& items_;
  int32_t num_references_ = 0;
  size_t referenced_bytes_ = 0;
  bool in_turn_ = false;
};

std::string user_item(std::string_view text) {
  std::string item;
  JsonWriter json(item);
  json.begin_object();
  json.field("type", "message");
  json.field("role", "user");
  json.field("content", text);
  json.end_object();
  return item;
}

std::string_view item_id_prefix(std::string_view type) {
  if (type == "reasoning") return "rs_";
  if (type == "function_call") return "fc_";
  return type == "function_call_output" ? "fco_" : "msg_";
}

void write_text_as_part(JsonWriter& json, std::string_view text, bool is_output) {
  json.begin_array();
  json.begin_object();
  json.field("type", is_output ? "output_text" : "input_text");
  json.field("text", text);
  if (is_output) {
    json.key("annotations");
    json.raw("[]");
  }
  json.end_object();
  json.end_array();
}

}  // namespace

Expected<> read_input(const JsonField& field, const FindItem& find_item, std::vector<ChatMessage>& messages,
                      std::vector<std::string>& items) {
  if (field.value.is_string()) {
    const std::string_view text = field.value.get_string().value_unsafe();
    messages.push_back({.role = "user", .content = std::string(text)});
    items.push_back(user_item(text));
    return {};
  }
  JsonArray values;
  if (field.value.get_array().get(values) != simdjson::SUCCESS) {
    return fail_param("input", "input must be a string or an array of items, but is {}",
                      type_name(field.value));
  }
  ConversationReader reader(find_item, messages, items);
  size_t index = 0;
  for (const JsonValue value : values) {
    if (index == kMaxInputItems) return fail_param("input", "input takes at most {} items", kMaxInputItems);
    if (auto read = reader.take({"an item", value, field.ignore_unknown}); !read) {
      return fail_param("input", "input[{}]: {}", index, read.error().message);
    }
    ++index;
  }
  if (messages.empty()) return fail_param("input", "input has no message");
  return {};
}

void write_input_schema(JsonWriter& json) {
  std::string text;
  PartedText parts;
  MessageToolCall call;
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  json.raw(R"({"type":"string"})");
  json.begin_object();
  json.field("type", "array");
  json.field("minItems", 1);
  json.key("items");
  write_any_of(json, {},
               {message_item_rules(text, parts), reasoning_item_rules(parts, parts), call_item_rules(call),
                output_item_rules(text, parts), reference_item_rules(text)});
  json.end_object();
  json.end_array();
  json.end_object();
}

std::string listed_item(std::string_view item, std::string_view id) {
  const auto document = JsonDocument::parse(item);
  if (!document) return std::string(item);
  const JsonObject object = document->root();
  const std::string_view own_id = text_member(object, "id"), own_type = text_member(object, "type");
  const std::string_view type = own_type.empty() ? "message" : own_type;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("id", own_id.empty() ? fmt::format("{}{}", item_id_prefix(type), id) : std::string(own_id));
  json.field("type", type);
  for (const auto member : object) {
    if (member.key == "id" || member.key == "type") continue;
    json.key(member.key);
    if (member.key == "content" && member.value.is_string()) {
      write_text_as_part(json, member.value.get_string().value_unsafe(),
                         text_member(object, "role") == "assistant");
    } else {
      json.raw(simdjson::minify(member.value));
    }
  }
  json.end_object();
  return out;
}

}  // namespace quire
