// The fields of a chat that speak of tools: what is offered, and what was called.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/value.h"
#include "server/json/request_fields.h"

namespace quire {

struct Tool {
  std::string name;  // [A-Za-z0-9_-]{1,128}
  std::optional<std::string> description;
  std::string parameters_json;  // a JSON schema with the type object; empty: none was given
  Value parameters;             // for templates, as it was written
  bool strict = false;          // arguments are as the schema has them
};

enum class ToolChoice : uint8_t { kAuto, kNone, kRequired };

// What may be called in answer to a chat.
struct ToolOffer {
  std::vector<Tool> tools;
  ToolChoice choice = ToolChoice::kAuto;
  std::string named;  // with kRequired, the one tool that must be called; empty: any
  std::optional<std::vector<std::string>> allowed = {};  // of the tools, these alone
  bool parallel = true;                                  // more calls than one in an answer

  bool callable() const { return !tools.empty() && choice != ToolChoice::kNone; }
  // What the template shows.
  std::span<const Tool> shown() const { return callable() ? std::span(tools) : std::span<const Tool>(); }
  bool forced() const { return choice == ToolChoice::kRequired; }
};

// A call in a message of the conversation so far.
struct MessageToolCall {
  std::string id;
  std::string name;
  std::string arguments_json;  // text of an object
  Value arguments;             // the same for templates
};

inline constexpr size_t kMaxTools = 128, kMaxMessageToolCalls = 128;

// Rules for tools, tool_choice and parallel_tool_calls. `offer` outlives them.
void add_tool_rules(std::vector<FieldRule>& rules, ToolOffer& offer);

// Combinations, once all fields are read. Leaves the tools that are allowed.
Expected<> settle_offer(ToolOffer& offer);

// Whether it may be a tool's name.
inline constexpr FieldSchema kToolNameSchema = {
    .json = R"({"type":"string","pattern":"^[A-Za-z0-9_-]{1,128}$"})"};
Expected<> check_tool_name(std::string_view name);
// The value of a field that names a tool.
Expected<> read_tool_name(const JsonField& field, std::string& name);

// The value of `tools`, whose items `read` reads: at most kMaxTools, no name twice.
Expected<> read_tools(const JsonField& field, Expected<Tool> (*read)(const JsonField&),
                      std::vector<Tool>& tools);

// A tool's JSON schema, which must be one of an object.
Expected<> read_parameters(const JsonField& field, Tool& tool);

// The value of `tool_choice` where it is one word: "auto", "none" or "required".
inline constexpr std::string_view kToolChoiceWords = R"({"enum":["auto","none","required"]})";
Expected<> read_tool_choice_word(const JsonField& field, ToolOffer& offer);

// What tool_choice says by "allowed_tools": "auto" or "required", and an array of tools, which `write`
// describes and whose names `read_name` reads. `offer` outlives the rules.
FieldRule allowed_mode_rule(ToolOffer& offer);
FieldRule allowed_tools_rule(ToolOffer& offer, Expected<> (*read_name)(const JsonField&, std::string&),
                             void (*write)(JsonWriter&));

// The rule for `tools` alone.
FieldRule tools_rule(std::vector<Tool>& tools);

// The value of a message's `tool_calls`.
Expected<std::vector<MessageToolCall>> read_message_tool_calls(const JsonField& field);

// `json`, the text of a JSON object, for templates; the error says what it is instead. Whatever an answer
// may have as arguments is read, as chat/call_arguments.h has it; of a name that comes twice the last value
// counts. `name` is what a message calls it.
Expected<Value> read_arguments(std::string_view name, std::string_view json);

// As chat templates want them: {"type": "function", "function": {"name", "description", "parameters"}}.
Value template_tools(std::span<const Tool> tools);

}  // namespace quire
