#include "server/requests/message_request.h"

#include "server/requests/message_blocks.h"
#include "server/requests/sampling_rules.h"
#include "server/requests/structured_output.h"

namespace quire {
namespace {

Expected<> read_turns(const JsonField& field, std::vector<ChatMessage>& messages) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  size_t index = 0;
  for (const JsonValue item : *array) {
    if (auto read = read_turn({"a message", item, field.ignore_unknown}, messages); !read) {
      return fail_param("messages", "messages[{}]: {}", index, read.error().message);
    }
    ++index;
  }
  if (messages.empty()) return fail_param("messages", "messages must not be empty");
  return {};
}

struct MessageToolChoice {
  std::string type, name;
  bool one_call = false;
};

// {"type": "auto", "none", "any" or "tool", "name" of a tool, "disable_parallel_tool_use"}
std::vector<FieldRule> tool_choice_rules(std::string_view types, const FieldSchema& name, bool needs_name,
                                         MessageToolChoice& choice) {
  return {{"type", {{.type = "string", .choices = types}, into(choice.type).read}, {}, true},
          {"name", {name, into(choice.name).read}, {}, needs_name},
          {"disable_parallel_tool_use", into(choice.one_call)}};
}

void write_message_tool_choice_schema(JsonWriter& json) {
  MessageToolChoice choice;
  write_any_of(json, {},
               {tool_choice_rules("auto|none|any", {.only = R"("")"}, false, choice),
                tool_choice_rules("tool", kToolNameSchema, true, choice)});
}

Expected<> read_message_tool_choice(const JsonField& field, ToolOffer& offer) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  MessageToolChoice choice;
  const auto rules = required_later(tool_choice_rules({}, kToolNameSchema, false, choice));
  if (auto read = read_fields(*object, rules, "tool_choice"); !read) return read;
  const std::string& type = choice.type;
  offer.named = choice.name;
  if (type == "auto") offer.choice = ToolChoice::kAuto;
  if (type == "none") offer.choice = ToolChoice::kNone;
  if (type == "any" || type == "tool") offer.choice = ToolChoice::kRequired;
  if (type != "auto" && type != "none" && !offer.forced()) {
    return fail_param("tool_choice", "the type of tool_choice must be auto, none, any or tool, but is '{}'",
                      excerpt(type));
  }
  if ((type == "tool") == offer.named.empty()) {
    return fail_param("tool_choice", "tool_choice needs a name if its type is tool, and has none else");
  }
  offer.parallel = !choice.one_call;
  return {};
}

Expected<> read_stop_sequences(const JsonField& field, std::vector<std::string>& stop) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  for (const JsonValue item : *array) {
    if (stop.size() == kMaxStopStrings) {
      return fail_param("stop_sequences", "stop_sequences takes at most {} strings", kMaxStopStrings);
    }
    auto text = read_string({"each of stop_sequences", item});
    if (!text) return fail_param("stop_sequences", "{}", text.error().message);
    if (text->empty() || text->size() > kMaxStopBytes) {
      return fail_param("stop_sequences", "each of stop_sequences must be 1 to {} bytes, but one has {}",
                        kMaxStopBytes, text->size());
    }
    stop.push_back(std::move(*text));
  }
  return {};
}

// What a model without reasoning cannot do is the endpoint's to say. Templates know these two names.
Expected<> read_thinking_type(const JsonField& field, MessageRequest& request) {
  constexpr FieldSchema kTypes = {.type = "string", .choices = "enabled|disabled|adaptive"};
  if (auto checked = check_schema(field.name, field.value, kTypes); !checked) return checked;
  const std::string_view type = field.value.get_string().value_unsafe();
  request.must_think = type == "enabled";
  for (const char* name : {"enable_thinking", "thinking"}) {
    request.rendering.variables.set(name, Value::boolean(type != "disabled"));
  }
  return {};
}

std::vector<FieldRule> thinking_config_rules(MessageRequest& request) {
  return {{"type",
           {{.type = "string", .choices = "enabled|disabled|adaptive"},
            [&request](const JsonField& field) { return read_thinking_type(field, request); }},
           "enabled needs a model that reasons",
           true},
          {"budget_tokens", no_effect({.type = "integer", .min = 1}),
           "of no effect: max_tokens counts thinking, too"},
          {"display", unsupported("thinking is answered as it is", R"("summarized")")}};
}

std::vector<FieldRule> output_config_rules(MessageRequest& request) {
  return {
      {"effort", effort_into(request.rendering), "given to the chat template, which may make use of it"},
      {"format",
       {{.write = write_output_format_schema},
        [&request](const JsonField& field) {
          return read_output_format(field, request.structured_output);
        }},
       "a JSON schema that the answer follows"}};
}

// A rule for an object with rules of its own.
template <std::vector<FieldRule> (*rules)(MessageRequest&)>
FieldRule object_rule(std::string_view name, MessageRequest& request, std::string_view help) {
  return {name,
          {{.write =
                [](JsonWriter& json) {
                  MessageRequest any;
                  write_object_schema(json, rules(any));
                }},
           [&request](const JsonField& field) -> Expected<> {
             const auto object = read_object(field);
             if (!object) return std::unexpected(object.error());
             return read_fields(*object, rules(request), field.name);
           }},
          help};
}

constexpr std::string_view kStopSequencesSchema =
    R"({"type":"array","maxItems":16,"items":{"type":"string","minLength":1}})";

// What makes the prompt.
void add_prompt_rules(std::vector<FieldRule>& rules, MessageRequest& request) {
  rules.push_back(model_rule(request.model));
  rules.push_back({"messages",
                   {{.write = write_array_schema<write_turn_schema, 1>},
                    [&request](const JsonField& field) { return read_turns(field, request.messages); }},
                   "the conversation so far, oldest first; if the assistant's text comes last, the answer "
                   "goes on with it",
                   true});
  rules.push_back({"system",
                   {{.write = write_block_text_schema},
                    [&request](const JsonField& field) -> Expected<> {
                      auto text = read_block_text(field);
                      if (!text) return std::unexpected(text.error());
                      request.system = std::move(*text);
                      return {};
                    }},
                   "what the model is told before the conversation"});
  rules.push_back({"tools",
                   {{.write = write_array_schema<write_message_tool_schema, 0>},
                    [&request](const JsonField& field) {
                      return read_tools(field, read_message_tool, request.offer.tools);
                    }},
                   "functions that the model may call"});
  rules.push_back(
      {"tool_choice",
       {{.write = write_message_tool_choice_schema},
        [&request](const JsonField& field) { return read_message_tool_choice(field, request.offer); }},
       "whether it may or must call them, or the one that it must call"});
  rules.push_back(object_rule<thinking_config_rules>("thinking", request, "whether the model is to think"));
  rules.push_back(object_rule<output_config_rules>("output_config", request, "how the answer is to be"));
  rules.push_back(object_without_effect("cache_control", "of no effect: prompts are cached anyhow"));
  rules.push_back({"speed", no_effect({.type = "string", .choices = "fast|standard"}), "of no effect"});
  rules.push_back(
      {"user_profile_id", no_effect({.type = "string"}), "of no effect: API keys say who asks"});
}

// A conversation that ends with the assistant's text goes on with it.
Expected<> continue_answer(MessageRequest& request) {
  const ChatMessage& last = request.messages.back();
  if (last.role != "assistant") return {};
  if (!last.tool_calls.empty()) {
    return fail_param("messages",
                      "the last message calls tools: what they brought must follow, as tool_result blocks");
  }
  if (last.content.find_first_not_of(" \n\r\t") == std::string::npos) {
    return fail_param(
        "messages",
        "the last message is the assistant's, but has no text that the answer could go on with");
  }
  request.rendering.continue_final_message = true;
  request.rendering.continued_by = "messages";
  return {};
}

Expected<MessageRequest> read_by(const JsonFields& fields,
                                 std::vector<FieldRule> (*rules)(MessageRequest& request)) {
  MessageRequest request;
  if (auto read = read_fields(fields, rules(request)); !read) return std::unexpected(read.error());
  if (auto checked = settle_offer(request.offer); !checked) return std::unexpected(checked.error());
  if (auto continued = continue_answer(request); !continued) return std::unexpected(continued.error());
  if (!request.system.empty()) {
    request.messages.insert(request.messages.begin(),
                            {.role = "system", .content = std::move(request.system)});
  }
  return request;
}

}  // namespace

std::vector<FieldRule> message_rules(MessageRequest& request) {
  FieldRule max_tokens = max_tokens_rule("max_tokens", request, false);
  max_tokens.required = true;
  std::vector<FieldRule> rules = {
      std::move(max_tokens),
      {"stop_sequences",
       {{.json = kStopSequencesSchema},
        [&request](const JsonField& field) { return read_stop_sequences(field, request.sampling.stop); }},
       "texts at which the answer ends"},
      {"stream", into(request.stream), "answer with server-sent events as tokens come"},
      sampling_rule("temperature", request.sampling),
      sampling_rule("top_p", request.sampling),
      sampling_rule("top_k", request.sampling),
      {"metadata", no_effect({.type = "object"}), "of no effect: API keys say who asks"},
      {"service_tier", no_effect({.type = "string", .choices = "auto|standard_only"}),
       "of no effect: there is one tier; see priority"},
      {"inference_geo", no_effect({.type = "string"}), "of no effect: it runs where the server is"},
      {"container", unsupported("this server runs no tools")},
      {"mcp_servers", unsupported("this server runs no tools", "[]")},
      {"context_management", unsupported("messages are taken as they are", R"({"edits":[]})")},
      {"diagnostics", unsupported("usage says what was cached")},
      {"thread", unsupported("every request brings its whole conversation")},
  };
  add_placing_rules(rules, request);
  add_prompt_rules(rules, request);
  return rules;
}

std::vector<FieldRule> count_tokens_rules(MessageRequest& request) {
  std::vector<FieldRule> rules;
  add_prompt_rules(rules, request);
  return rules;
}

Expected<MessageRequest> read_message_request(const JsonFields& fields) {
  return read_by(fields, message_rules);
}

Expected<MessageRequest> read_count_tokens_request(const JsonFields& fields) {
  return read_by(fields, count_tokens_rules);
}

}  // namespace quire
