#include "server/requests/responses_request.h"

#include <algorithm>
#include <array>

#include "chat/tool_call.h"
#include "server/json/json_writer.h"
#include "server/json/template_value.h"
#include "server/requests/sampling_rules.h"
#include "server/requests/structured_output.h"

namespace quire {
namespace {

constexpr size_t kMaxInputItems = 4096;
constexpr size_t kMaxMetadata = 16;
// The value of the member `type`, or nothing.
std::string_view type_of(const JsonFields& fields) {
  std::string_view type;
  return fields.object["type"].get_string().get(type) == simdjson::SUCCESS ? type : std::string_view();
}

// Rules of fields of which only the type matters.
FieldRule any_string(std::string_view name) { return {name, no_effect({.type = "string"})}; }
FieldRule any_array(std::string_view name) { return {name, no_effect({.type = "array"})}; }

// A field that is checked by `read` and then kept as it was written.
FieldRule kept_in(std::string& json, std::string_view name, std::string_view schema, std::string_view help,
                  std::function<Expected<>(const JsonField&)> read) {
  return {name,
          {{.json = schema},
           [&json, read = std::move(read)](const JsonField& field) -> Expected<> {
             if (auto checked = read(field); !checked) return checked;
             json = simdjson::minify(field.value);
             return {};
           }},
          help};
}

// {"type": "input_text" or "output_text", "text": "..."}
Expected<std::string> read_text_part(const JsonField& field) {
  constexpr std::array<std::string_view, 5> kTypes = {"input_text", "output_text", "reasoning_text",
                                                      "summary_text", "text"};
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const std::string_view type = type_of(*object);
  if (std::ranges::find(kTypes, type) == kTypes.end()) {
    return fail(ErrorCode::kUnsupported,
                "the type of a content part must be input_text or output_text, but is '{}'", excerpt(type));
  }
  std::optional<std::string> text;
  const FieldRule rules[] = {
      any_string("type"), {"text", into(text)}, any_array("annotations"), any_array("logprobs")};
  if (auto read = read_fields(*object, rules, "a content part"); !read)
    return std::unexpected(read.error());
  if (!text) return fail(ErrorCode::kInvalidArgument, "a content part has no text");
  return std::move(*text);
}

// A string, or parts of text, which are joined with line breaks.
Expected<> read_parts(const JsonField& field, std::optional<std::string>& text) {
  if (field.value.is_string()) return into(text).read(field);
  JsonArray parts;
  if (field.value.get_array().get(parts) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "{} must be a string or an array of parts, but is {}",
                field.name, type_name(field.value));
  }
  for (const JsonValue part : parts) {
    auto piece = read_text_part({"a content part", part, field.ignore_unknown});
    if (!piece) return std::unexpected(piece.error());
    append_part(text, *piece);
  }
  return {};
}

Expected<> read_input_role(const JsonField& field, std::string& role) {
  constexpr std::array<std::string_view, 4> kInputRoles = {"user", "assistant", "system", "developer"};
  auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (std::ranges::find(kInputRoles, *text) == kInputRoles.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "role must be user, assistant, system or developer, but is '{}'", excerpt(*text));
  }
  role = *text == "developer" ? "system" : std::move(*text);  // as templates call it
  return {};
}

// Takes the items of a conversation one after the other. What the assistant thought, said and called between
// two turns of others is one message, as chat templates have it.
class ConversationReader {
 public:
  explicit ConversationReader(std::vector<ChatMessage>& messages) : messages_(messages) {}

  Expected<> take(const JsonField& item) {
    const auto object = read_object(item);
    if (!object) return std::unexpected(object.error());
    const std::string_view type = type_of(*object);
    if (type.empty() || type == "message") return take_message(*object);
    if (type == "reasoning") return take_reasoning(*object);
    if (type == "function_call") return take_call(*object);
    if (type == "function_call_output") return take_output(*object);
    return fail(ErrorCode::kUnsupported,
                "type must be message, reasoning, function_call or function_call_output, but is '{}'",
                excerpt(type));
  }

 private:
  Expected<> take_message(const JsonFields& object) {
    ChatMessage message;
    std::optional<JsonValue> content;
    const FieldRule rules[] = {
        any_string("type"),
        any_string("id"),
        any_string("status"),
        {"role", [&](const JsonField& field) { return read_input_role(field, message.role); }},
        {"content",
         [&](const JsonField& field) -> Expected<> {
           content = field.value;
           return {};
         }},
        {"phase", no_effect({.type = "string", .choices = "commentary|final_answer"})},
    };
    if (auto read = read_fields(object, rules, "a message"); !read) return read;
    if (message.role.empty()) return fail(ErrorCode::kInvalidArgument, "role is required");
    if (!content) return fail(ErrorCode::kInvalidArgument, "content is required");
    std::optional<std::string> text;
    if (auto read = read_parts({"content", *content, object.ignore_unknown}, text); !read) return read;
    if (message.role != "assistant") {
      if (!text) return fail(ErrorCode::kInvalidArgument, "content must not be empty");
      message.content = std::move(*text);
      add(std::move(message));
      return {};
    }
    ChatMessage& turn = assistant();
    if (!text) return {};
    std::optional<std::string> said;
    if (turn.has_content) said = std::move(turn.content);
    append_part(said, *text);
    turn.content = std::move(*said);
    turn.has_content = true;
    return {};
  }

  Expected<> take_reasoning(const JsonFields& object) {
    std::optional<std::string> content, summary;
    const FieldRule rules[] = {
        any_string("type"),
        any_string("id"),
        any_string("status"),
        any_string("encrypted_content"),
        {"content", [&](const JsonField& field) { return read_parts(field, content); }},
        {"summary", [&](const JsonField& field) { return read_parts(field, summary); }}};
    if (auto read = read_fields(object, rules, "a reasoning item"); !read) return read;
    if (content) append_part(assistant().reasoning_content, *content);
    return {};
  }

  Expected<> take_call(const JsonFields& object) {
    MessageToolCall call;
    const FieldRule rules[] = {any_string("type"),        any_string("id"),
                               any_string("status"),      {"call_id", into(call.id)},
                               {"name", into(call.name)}, {"arguments", into(call.arguments_json)}};
    if (auto read = read_fields(object, rules, "a function_call"); !read) return read;
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
    std::optional<std::string> output;
    bool has_output = false;
    const FieldRule rules[] = {any_string("type"),
                               any_string("id"),
                               any_string("status"),
                               {"call_id", into(call_id)},
                               {"output", [&](const JsonField& field) {
                                  has_output = true;
                                  return read_parts(field, output);
                                }}};
    if (auto read = read_fields(object, rules, "a function_call_output"); !read) return read;
    if (call_id.empty())
      return fail(ErrorCode::kInvalidArgument, "a function_call_output needs its call_id");
    if (!has_output) return fail(ErrorCode::kInvalidArgument, "a function_call_output needs its output");
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

  std::vector<ChatMessage>& messages_;
  bool in_turn_ = false;
};

std::string user_item(std::string_view text) {
  std::string item;
  JsonWriter json(item);
  json.begin_object();
  json.field("type", "message");
  json.field("role", "user");
  json.key("content");
  json.begin_array();
  json.begin_object();
  json.field("type", "input_text");
  json.field("text", text);
  json.end_object();
  json.end_array();
  json.end_object();
  return item;
}

Expected<> read_input(const JsonField& field, ResponsesRequest& request) {
  if (field.value.is_string()) {
    const std::string_view text = field.value.get_string().value_unsafe();
    request.messages.push_back({.role = "user", .content = std::string(text)});
    request.input_items.push_back(user_item(text));
    return {};
  }
  JsonArray items;
  if (field.value.get_array().get(items) != simdjson::SUCCESS) {
    return fail_param("input", "input must be a string or an array of items, but is {}",
                      type_name(field.value));
  }
  ConversationReader reader(request.messages);
  for (const JsonValue item : items) {
    const size_t index = request.input_items.size();
    if (index == kMaxInputItems) return fail_param("input", "input takes at most {} items", kMaxInputItems);
    if (auto read = reader.take({"an item", item, field.ignore_unknown}); !read) {
      return fail_param("input", "input[{}]: {}", index, read.error().message);
    }
    request.input_items.push_back(simdjson::minify(item));
  }
  if (request.messages.empty()) return fail_param("input", "input has no message");
  return {};
}

Expected<> check_metadata(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (object->object.size() > kMaxMetadata) {
    return fail_param("metadata", "metadata takes at most {} members", kMaxMetadata);
  }
  for (const auto member : object->object) {
    if (member.value.is_string()) continue;
    return fail_param("metadata", "each value of metadata must be a string, but one is {}",
                      type_name(member.value));
  }
  return {};
}

Expected<> read_text_options(const JsonField& field, std::optional<GrammarSpec>& spec) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const FieldRule rules[] = {
      {"format", [&](const JsonField& format) { return read_text_format(format, spec); }},
      any_string("verbosity")};
  return read_fields(*object, rules, "text");
}

// How much a model thinks is its template's to say.
Expected<> check_reasoning(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const FieldRule rules[] = {any_string("effort"), any_string("summary"), any_string("generate_summary")};
  return read_fields(*object, rules, "reasoning");
}

// {"type": "function", "name", "description", "parameters", "strict"}
Expected<Tool> read_function_tool(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (const std::string_view type = type_of(*object); type != "function") {
    return fail(ErrorCode::kUnsupported, "type must be 'function', but is '{}'", excerpt(type));
  }
  Tool tool;
  const auto read_schema = [&](const JsonField& schema) { return read_parameters(schema, tool); };
  const FieldRule rules[] = {any_string("type"),
                             {"name", into(tool.name)},
                             {"description", into(tool.description)},
                             {"parameters", read_schema},
                             {"strict", into(tool.strict)}};
  if (auto read = read_fields(*object, rules, "a tool"); !read) return std::unexpected(read.error());
  if (auto named = check_tool_name(tool.name); !named) return std::unexpected(named.error());
  return tool;
}

// {"type": "function", "name": ...}
Expected<> read_chosen_function(const JsonField& field, std::string& chosen) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  const FieldRule rules[] = {any_string("type"), {"name", into(chosen)}};
  return read_fields(*object, rules, "tool_choice");
}

// {"type": "allowed_tools", "mode": ..., "tools": [...]}
Expected<> read_allowed_functions(const JsonFields& object, ToolOffer& offer) {
  const FieldRule rules[] = {
      any_string("type"),
      {"mode", [&](const JsonField& mode) { return read_allowed_mode(mode, offer); }},
      {"tools",
       [&](const JsonField& tools) { return read_allowed_tools(tools, read_chosen_function, offer); }}};
  if (auto read = read_fields(object, rules, "tool_choice"); !read) {
    return fail_param("tool_choice", "tool_choice: {}", read.error().message);
  }
  if (!offer.allowed) return fail_param("tool_choice", "tool_choice needs the allowed tools");
  return {};
}

// A word as in chats, or one of the two.
Expected<> read_function_choice(const JsonField& field, ToolOffer& offer) {
  if (!field.value.is_object()) return read_tool_choice_word(field, offer);
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  if (type_of(*object) == "allowed_tools") return read_allowed_functions(*object, offer);
  if (const std::string_view type = type_of(*object); type != "function") {
    return fail_param("tool_choice", "the type of tool_choice must be 'function', but is '{}'",
                      excerpt(type));
  }
  if (auto read = read_chosen_function(field, offer.named); !read) return read;
  if (offer.named.empty()) return fail_param("tool_choice", "tool_choice needs the function's name");
  offer.choice = ToolChoice::kRequired;
  return {};
}

// Fields of no effect, and those that ask for what is not to be had.
void add_other_rules(std::vector<FieldRule>& rules) {
  constexpr FieldSchema kText = {.type = "string"};
  rules.push_back({"safety_identifier", no_effect(kText), "of no effect: API keys say who asks"});
  rules.push_back({"prompt_cache_key", no_effect(kText), "of no effect: the prefix cache needs no hints"});
  rules.push_back({"service_tier", no_effect(kText), "of no effect: there is one tier"});
  rules.push_back({"background", unsupported("answers are made while the client waits", "false"), ""});
  rules.push_back({"truncation", unsupported("what is too long is refused", R"("disabled")"), ""});
  rules.push_back({"include", unsupported("answers hold all that there is", "[]"), ""});
}

constexpr std::string_view kObject = R"({"type":"object"})";

// What shapes the answer beside its prompt.
void add_answer_rules(std::vector<FieldRule>& rules, ResponsesRequest& request) {
  ResponsesEcho& echo = request.echo;
  rules.push_back(max_tokens_rule("max_output_tokens", request, false));
  rules.push_back(sampling_rule("temperature", request.sampling));
  rules.push_back(sampling_rule("top_p", request.sampling));
  rules.push_back({"stream", into(request.stream), "answer with server-sent events as tokens come"});
  rules.push_back(kept_in(
      echo.text, "text", kObject, "the format of the answer",
      [&request](const JsonField& field) { return read_text_options(field, request.structured_output); }));
  rules.push_back(kept_in(echo.reasoning, "reasoning", kObject,
                          "of no effect: how much a model thinks is its template's to say",
                          check_reasoning));
  rules.push_back(kept_in(echo.tools, "tools", R"({"type":"array","items":{"type":"object"}})",
                          "functions that the model may call", [&request](const JsonField& field) {
                            return read_tools(field, read_function_tool, request.offer.tools);
                          }));
  rules.push_back(
      kept_in(echo.tool_choice, "tool_choice", R"({"type":["string","object"]})",
              "whether it may or must call them, or the one that it must call",
              [&request](const JsonField& field) { return read_function_choice(field, request.offer); }));
  rules.push_back({"parallel_tool_calls", into(request.offer.parallel), "whether it may call several"});
}

}  // namespace

std::vector<FieldRule> responses_rules(ResponsesRequest& request) {
  ResponsesEcho& echo = request.echo;
  std::vector<FieldRule> rules = {
      model_rule(request.model),
      {"input",
       {{.json = R"({"type":["string","array"]})"},
        [&request](const JsonField& field) { return read_input(field, request); }},
       "a text, or items: messages, reasoning, function calls and what came of them",
       true},
      {"instructions", into(echo.instructions), "what the model is told before all"},
      {"previous_response_id", into(echo.previous_response_id), "the stored response to go on from"},
      {"store", into(request.store), "whether later requests may go on from this one"},
      {"user", into(echo.user), "of no effect: API keys say who asks"},
      kept_in(echo.metadata, "metadata", kObject, "up to 16 pairs of strings, answered as they are",
              check_metadata),
  };
  add_answer_rules(rules, request);
  add_other_rules(rules);
  return rules;
}

Expected<ResponsesRequest> read_responses_request(const JsonFields& fields) {
  ResponsesRequest request;
  if (auto read = read_fields(fields, responses_rules(request)); !read) {
    return std::unexpected(read.error());
  }
  if (request.messages.empty()) return fail_param("input", "input is required");
  if (auto checked = settle_offer(request.offer); !checked) return std::unexpected(checked.error());
  return request;
}

}  // namespace quire
