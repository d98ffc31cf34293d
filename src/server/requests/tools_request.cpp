#include "server/requests/tools_request.h"

#include <algorithm>

#include "chat/call_arguments.h"
#include "chat/tool_call.h"
#include "server/json/template_value.h"

namespace quire {
namespace {

constexpr std::string_view kToolsSchema =
    R"({"type":"array","maxItems":128,"items":{"type":"object","required":["type","function"],)"
    R"("properties":{"type":{"const":"function"},"function":{"type":"object","required":["name"],)"
    R"("properties":{"name":{"type":"string","pattern":"^[A-Za-z0-9_-]{1,128}$"},)"
    R"("description":{"type":["string","null"]},"parameters":{"type":["object","null"]},)"
    R"("strict":{"type":["boolean","null"]}},"additionalProperties":false},)"
    R"("cache_control":{"type":["object","null"]}},"additionalProperties":false}})";

Expected<> read_function_type(const JsonField& field) {
  const auto type = read_string(field);
  if (!type) return std::unexpected(type.error());
  if (*type == "function") return {};
  return fail(ErrorCode::kUnsupported, "type must be 'function', but is '{}'", excerpt(*type));
}

Expected<> read_function(const JsonField& field, Tool& tool) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const FieldRule rules[] = {
      {"name", [&](const JsonField& name) { return read_tool_name(name, tool.name); }},
      {"description", into(tool.description)},
      {"parameters", [&](const JsonField& parameters) { return read_parameters(parameters, tool); }},
      {"strict", into(tool.strict)},
  };
  if (auto read = read_fields(*object, rules, "a tool's function"); !read) return read;
  if (tool.name.empty()) return fail(ErrorCode::kInvalidArgument, "a tool's function needs a name");
  return {};
}

// The shape of /v1/responses is not that of chats.
Expected<> check_nesting(const JsonFields& fields) {
  if (!has_member(fields.object, "name") || has_member(fields.object, "function")) return {};
  return fail(ErrorCode::kInvalidArgument,
              "the name of a function stands within function: {{\"type\": \"function\", \"function\": "
              "{{\"name\": ...}}}}");
}

// {"type": "function", "function": {"name", "description", "parameters", "strict"}}
Expected<Tool> read_tool(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (auto checked = check_nesting(*object); !checked) return std::unexpected(checked.error());
  Tool tool;
  bool has_type = false;
  const FieldRule rules[] = {
      {"type",
       [&](const JsonField& type) {
         has_type = true;
         return read_function_type(type);
       }},
      {"function", [&](const JsonField& function) { return read_function(function, tool); }},
      object_without_effect("cache_control", "of no effect: prompts are cached anyhow"),
  };
  if (auto read = read_fields(*object, rules, "a tool"); !read) return std::unexpected(read.error());
  if (!has_type) return fail(ErrorCode::kInvalidArgument, "a tool needs a type, which is 'function'");
  if (tool.name.empty()) return fail(ErrorCode::kInvalidArgument, "a tool needs a function");
  return tool;
}

// {"name": ...}
std::vector<FieldRule> function_name_rules(std::string& chosen) {
  return {{"name",
           {kToolNameSchema, [&chosen](const JsonField& name) { return read_tool_name(name, chosen); }},
           {},
           true}};
}

void write_function_name_schema(JsonWriter& json) {
  std::string chosen;
  write_object_schema(json, function_name_rules(chosen));
}

// {"type": "function", "function": {"name": ...}}
std::vector<FieldRule> function_choice_rules(std::string& chosen) {
  const auto read_chosen = [&chosen](const JsonField& function) -> Expected<> {
    const auto members = read_object(function);
    if (!members) return std::unexpected(members.error());
    return read_fields(*members, required_later(function_name_rules(chosen)), "function");
  };
  return {{"type", {{.type = "string", .choices = "function"}, read_function_type}},
          {"function", {{.write = write_function_name_schema}, read_chosen}, {}, true}};
}

void write_function_choice_schema(JsonWriter& json) {
  std::string chosen;
  write_object_schema(json, function_choice_rules(chosen));
}

Expected<> read_function_name(const JsonField& field, std::string& chosen) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (auto checked = check_nesting(*object); !checked) return checked;
  return read_fields(*object, required_later(function_choice_rules(chosen)), "tool_choice");
}

// {"mode": ..., "tools": [...]}
std::vector<FieldRule> allowed_rules(ToolOffer& offer) {
  return {
      allowed_mode_rule(offer),
      allowed_tools_rule(offer, read_function_name, write_array_schema<write_function_choice_schema, 1>)};
}

void write_allowed_schema(JsonWriter& json) {
  ToolOffer offer;
  write_object_schema(json, allowed_rules(offer));
}

// {"type": "allowed_tools", "allowed_tools": {"mode": ..., "tools": [...]}}
std::vector<FieldRule> allowed_choice_rules(ToolOffer& offer) {
  const auto read_allowed = [&offer](const JsonField& allowed) -> Expected<> {
    const auto members = read_object(allowed);
    if (!members) return std::unexpected(members.error());
    return read_fields(*members, required_later(allowed_rules(offer)), "allowed_tools");
  };
  return {{"type", no_effect({.type = "string", .choices = "allowed_tools"}), {}, true},
          {"allowed_tools", {{.write = write_allowed_schema}, read_allowed}, {}, true}};
}

Expected<> read_allowed_choice(const JsonField& field, ToolOffer& offer) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return read_fields(*object, required_later(allowed_choice_rules(offer)), "tool_choice");
}

void write_tool_choice_schema(JsonWriter& json) {
  ToolOffer offer;
  write_any_of(json, kToolChoiceWords, {function_choice_rules(offer.named), allowed_choice_rules(offer)});
}

Expected<> read_tool_choice(const JsonField& field, ToolOffer& offer) {
  if (!field.value.is_object()) return read_tool_choice_word(field, offer);
  std::string_view type;
  const bool allows =
      field.value["type"].get_string().get(type) == simdjson::SUCCESS && type == "allowed_tools";
  const auto read = allows ? read_allowed_choice(field, offer) : read_function_name(field, offer.named);
  if (!read) return fail_param("tool_choice", "tool_choice: {}", read.error().message);
  if (allows && !offer.allowed) return fail_param("tool_choice", "tool_choice needs the allowed tools");
  if (allows) return {};
  if (offer.named.empty()) return fail_param("tool_choice", "tool_choice needs the function's name");
  offer.choice = ToolChoice::kRequired;
  return {};
}

Expected<> read_call_function(const JsonField& field, MessageToolCall& call) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const FieldRule rules[] = {
      {"name", [&](const JsonField& name) { return read_tool_name(name, call.name); }},
      {"arguments", into(call.arguments_json)},
      {"parsed_arguments", no_effect({.json = "{}"})},  // on what OpenAI's client has parsed
  };
  if (auto read = read_fields(*object, rules, "a call's function"); !read) return read;
  if (call.name.empty()) return fail(ErrorCode::kInvalidArgument, "a call's function needs a name");
  return {};
}

Expected<MessageToolCall> read_message_tool_call(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  MessageToolCall call;
  std::optional<int64_t> index;  // deltas of a stream have one
  const FieldRule rules[] = {
      {"id", into(call.id)},
      {"type", read_function_type},
      {"index", into(index)},
      {"function", [&](const JsonField& function) { return read_call_function(function, call); }},
  };
  if (auto read = read_fields(*object, rules, "a call"); !read) return std::unexpected(read.error());
  if (call.name.empty()) return fail(ErrorCode::kInvalidArgument, "a call needs a function");
  auto arguments = read_arguments("arguments", call.arguments_json);
  if (!arguments) return std::unexpected(arguments.error());
  call.arguments = std::move(*arguments);
  return call;
}

// `name[i]: what is wrong with it`
std::unexpected<Error> fail_item(const JsonField& field, size_t index, const Error& error) {
  return fail_param(std::string(field.name), "{}[{}]: {}", field.name, index, error.message);
}

// "object", or that alone in a list.
bool names_object(JsonValue type) {
  JsonArray list;
  if (type.get_array().get(list) == simdjson::SUCCESS && list.size() == 1) type = *list.begin();
  return type.is_string() && type.get_string().value_unsafe() == "object";
}

}  // namespace

Expected<> check_tool_name(std::string_view name) {
  if (is_tool_name(name)) return {};
  return fail(ErrorCode::kInvalidArgument,
              "name must be 1 to {} of the letters a-z and A-Z, digits, _ and -, but is '{}'",
              kMaxToolNameBytes, excerpt(name));
}

Expected<> read_tool_name(const JsonField& field, std::string& name) {
  auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (auto checked = check_tool_name(*text); !checked) return checked;
  name = std::move(*text);
  return {};
}

Expected<> read_tools(const JsonField& field, Expected<Tool> (*read)(const JsonField&),
                      std::vector<Tool>& tools) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  if (array->size() > kMaxTools) {
    return fail_param("tools", "tools takes at most {}, but has {}", kMaxTools, array->size());
  }
  for (const JsonValue item : *array) {
    auto tool = read({"a tool", item, field.ignore_unknown});
    if (!tool) return fail_item(field, tools.size(), tool.error());
    if (std::ranges::find(tools, tool->name, &Tool::name) != tools.end()) {
      return fail_param("tools", "tools has the name '{}' more than once", tool->name);
    }
    tools.push_back(std::move(*tool));
  }
  return {};
}

Expected<> read_parameters(const JsonField& field, Tool& tool) {
  const auto schema = read_object(field);
  if (!schema) return std::unexpected(schema.error());
  JsonValue type;
  const bool typed = schema->object["type"].get(type) == simdjson::SUCCESS;
  if (typed && !names_object(type)) {
    return fail(ErrorCode::kInvalidArgument, "{} must be a JSON schema of the type 'object'", field.name);
  }
  tool.parameters_json = simdjson::minify(field.value);
  if (!typed) {
    const bool empty = schema->object.size() == 0;
    tool.parameters_json.insert(1, empty ? R"("type":"object")" : R"("type":"object",)");
  }
  tool.parameters = template_value(field.value);
  return {};
}

Expected<Value> read_arguments(std::string_view name, std::string_view json) {
  if (json.find_first_not_of(" \n\r\t") == std::string_view::npos) return Value::object();
  if (const auto readable = readable_arguments(json)) {
    const auto document = JsonDocument::parse(*readable, JsonDocument::Names::kRepeated);
    if (document) return template_value(document->root());
  }
  return fail(ErrorCode::kInvalidArgument, "{} must be the text of a JSON object, but is '{}'", name,
              excerpt(json));
}

Expected<std::vector<MessageToolCall>> read_message_tool_calls(const JsonField& field) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  if (array->size() > kMaxMessageToolCalls) {
    return fail(ErrorCode::kInvalidArgument, "{} takes at most {}, but has {}", field.name,
                kMaxMessageToolCalls, array->size());
  }
  std::vector<MessageToolCall> calls;
  for (const JsonValue item : *array) {
    auto call = read_message_tool_call({"a call", item, field.ignore_unknown});
    if (!call) return fail_item(field, calls.size(), call.error());
    calls.push_back(std::move(*call));
  }
  return calls;
}

Expected<> read_tool_choice_word(const JsonField& field, ToolOffer& offer) {
  std::string_view text;
  if (field.value.get_string().get(text) != simdjson::SUCCESS) {
    return fail_param("tool_choice", "tool_choice must be a string or an object, but is {}",
                      type_name(field.value));
  }
  if (text == "auto") offer.choice = ToolChoice::kAuto;
  if (text == "none") offer.choice = ToolChoice::kNone;
  if (text == "required") offer.choice = ToolChoice::kRequired;
  if (text == "auto" || text == "none" || text == "required") return {};
  return fail_param("tool_choice",
                    "tool_choice must be \"auto\", \"none\", \"required\" or a function, but is '{}'{}",
                    excerpt(text), text == "any" ? "; did you mean \"required\"?" : "");
}

FieldRule allowed_mode_rule(ToolOffer& offer) {
  const auto read = [&offer](const JsonField& field) -> Expected<> {
    const auto mode = read_string(field);
    if (!mode) return std::unexpected(mode.error());
    if (*mode != "auto" && *mode != "required") {
      return fail(ErrorCode::kInvalidArgument, "mode must be \"auto\" or \"required\", but is '{}'",
                  excerpt(*mode));
    }
    offer.choice = *mode == "auto" ? ToolChoice::kAuto : ToolChoice::kRequired;
    return {};
  };
  return {"mode", {{.type = "string", .choices = "auto|required"}, read}};
}

FieldRule allowed_tools_rule(ToolOffer& offer, Expected<> (*read_name)(const JsonField&, std::string&),
                             void (*write)(JsonWriter&)) {
  const auto read = [&offer, read_name](const JsonField& field) -> Expected<> {
    const auto array = read_array(field);
    if (!array) return std::unexpected(array.error());
    offer.allowed.emplace();
    for (const JsonValue item : *array) {
      std::string name;
      if (auto named = read_name({"an allowed tool", item, field.ignore_unknown}, name); !named)
        return named;
      if (name.empty()) return fail(ErrorCode::kInvalidArgument, "an allowed tool needs its name");
      offer.allowed->push_back(std::move(name));
    }
    if (!offer.allowed->empty()) return {};
    return fail(ErrorCode::kInvalidArgument, "tools must not be empty");
  };
  return {"tools", {{.write = write}, read}, {}, true};
}

FieldRule tools_rule(std::vector<Tool>& tools) {
  const auto read_all = [&tools](const JsonField& field) { return read_tools(field, read_tool, tools); };
  return {"tools", {{.json = kToolsSchema}, read_all}, "what the answer may call; at most 128"};
}

void add_tool_rules(std::vector<FieldRule>& rules, ToolOffer& offer) {
  rules.push_back(tools_rule(offer.tools));
  rules.push_back({"tool_choice",
                   {{.write = write_tool_choice_schema},
                    [&offer](const JsonField& field) { return read_tool_choice(field, offer); }},
                   "whether an answer may or must call tools, or the one that it must call"});
  rules.push_back(
      {"parallel_tool_calls", into(offer.parallel), "whether an answer may have more calls than one"});
}

Expected<> settle_offer(ToolOffer& offer) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(offer.tools, name, &Tool::name) != offer.tools.end();
  };
  const auto none_of = [](const std::string& name) {
    return fail_param("tool_choice", "tool_choice names '{}', which is none of the tools", name);
  };
  const bool chooses = offer.forced() || offer.allowed;
  if (chooses && offer.tools.empty()) {
    return fail_param("tool_choice", "tool_choice needs tools to choose from");
  }
  if (offer.forced() && !offer.named.empty() && !has(offer.named)) return none_of(offer.named);
  if (!offer.allowed) return {};
  for (const std::string& name : *offer.allowed) {
    if (!has(name)) return none_of(name);
  }
  std::erase_if(offer.tools, [&](const Tool& tool) {
    return std::ranges::find(*offer.allowed, tool.name) == offer.allowed->end();
  });
  return {};
}

Value template_tools(std::span<const Tool> tools) {
  Value array = Value::array();
  for (const Tool& tool : tools) {
    Value function = Value::object();
    function.set("name", Value::user_text(tool.name));
    if (tool.description) function.set("description", Value::user_text(*tool.description));
    if (!tool.parameters_json.empty()) function.set("parameters", tool.parameters);
    Value object = Value::object();
    object.set("type", Value::string("function"));
    object.set("function", std::move(function));
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace quire
