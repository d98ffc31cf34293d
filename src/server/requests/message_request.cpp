#include "server/requests/message_request.h"

#include <algorithm>

#include "server/requests/message_blocks.h"
#include "server/requests/sampling_rules.h"

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

Expected<> read_message_tools(const JsonField& field, std::vector<Tool>& tools) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  for (const JsonValue item : *array) {
    if (tools.size() == kMaxTools) return fail_param("tools", "tools takes at most {}", kMaxTools);
    auto tool = read_message_tool({"a tool", item, field.ignore_unknown});
    if (!tool) return fail_param("tools", "tools[{}]: {}", tools.size(), tool.error().message);
    if (std::ranges::find(tools, tool->name, &Tool::name) != tools.end()) {
      return fail_param("tools", "tools has the name '{}' more than once", tool->name);
    }
    tools.push_back(std::move(*tool));
  }
  return {};
}

// {"type": "auto", "none", "any" or "tool", "name" of a tool, "disable_parallel_tool_use"}
Expected<> read_message_tool_choice(const JsonField& field, ToolOffer& offer) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::string type;
  bool one_call = false;
  const FieldRule rules[] = {
      {"type", into(type)}, {"name", into(offer.named)}, {"disable_parallel_tool_use", into(one_call)}};
  if (auto read = read_fields(*object, rules, "tool_choice"); !read) return read;
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
  offer.parallel = !one_call;
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

constexpr std::string_view kTurnsSchema =
    R"({"type":"array","minItems":1,"items":{"type":"object","required":["role","content"],"properties":{)"
    R"("role":{"type":"string"},"content":{"type":["string","array"]}}}})";
constexpr std::string_view kStopSequencesSchema =
    R"({"type":"array","maxItems":16,"items":{"type":"string","minLength":1}})";

// What makes the prompt.
void add_prompt_rules(std::vector<FieldRule>& rules, MessageRequest& request) {
  rules.push_back(model_rule(request.model));
  rules.push_back({"messages",
                   {{.json = kTurnsSchema},
                    [&request](const JsonField& field) { return read_turns(field, request.messages); }},
                   "the conversation so far, oldest first: text, thinking, tool_use and tool_result blocks",
                   true});
  rules.push_back({"system",
                   {{.json = R"({"type":["string","array"]})"},
                    [&request](const JsonField& field) -> Expected<> {
                      auto text = read_block_text(field);
                      if (!text) return std::unexpected(text.error());
                      request.system = std::move(*text);
                      return {};
                    }},
                   "what the model is told before the conversation"});
  rules.push_back(
      {"tools",
       {{.json = R"({"type":"array","items":{"type":"object","required":["name","input_schema"]}})"},
        [&request](const JsonField& field) { return read_message_tools(field, request.offer.tools); }},
       "functions that the model may call"});
  rules.push_back(
      {"tool_choice",
       {{.json = R"({"type":"object","required":["type"]})"},
        [&request](const JsonField& field) { return read_message_tool_choice(field, request.offer); }},
       "whether it may or must call them, or the one that it must call"});
}

Expected<ChatRequest> read_by(const JsonFields& fields,
                              std::vector<FieldRule> (*rules)(MessageRequest& request)) {
  MessageRequest request;
  if (auto read = read_fields(fields, rules(request)); !read) return std::unexpected(read.error());
  if (auto checked = check_offer(request.offer); !checked) return std::unexpected(checked.error());
  if (!request.system.empty()) {
    request.messages.insert(request.messages.begin(),
                            {.role = "system", .content = std::move(request.system)});
  }
  return ChatRequest(std::move(request));
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
       "of no effect: there is one tier"},
  };
  add_prompt_rules(rules, request);
  return rules;
}

std::vector<FieldRule> count_tokens_rules(MessageRequest& request) {
  std::vector<FieldRule> rules;
  add_prompt_rules(rules, request);
  return rules;
}

Expected<ChatRequest> read_message_request(const JsonFields& fields) {
  return read_by(fields, message_rules);
}

Expected<ChatRequest> read_count_tokens_request(const JsonFields& fields) {
  return read_by(fields, count_tokens_rules);
}

}  // namespace quire
