#include "server/message_request.h"

#include <algorithm>

#include "server/message_blocks.h"

#include "server/sampling_rules.h"

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

// {"type": "auto" or "none", "disable_parallel_tool_use"}
Expected<> read_message_tool_choice(const JsonField& field, ToolOffer& offer) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  std::string type, name;
  bool one_call = false;
  const FieldRule rules[] = {
      {"type", into(type)}, {"name", into(name)}, {"disable_parallel_tool_use", into(one_call)}};
  if (auto read = read_fields(*object, rules, "tool_choice"); !read) return read;
  if (type == "any" || type == "tool") {
    return fail_param("tool_choice",
                      "a forced call is not supported: the type of tool_choice must be auto or none");
  }
  if (type != "auto" && type != "none") {
    return fail_param("tool_choice", "the type of tool_choice must be auto or none, but is '{}'",
                      excerpt(type));
  }
  offer.choice = type == "auto" ? ToolChoice::kAuto : ToolChoice::kNone;
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

Expected<> check_service_tier(const JsonField& field) {
  const auto tier = read_string(field);
  if (!tier) return std::unexpected(tier.error());
  if (*tier == "auto" || *tier == "standard_only") return {};
  return fail_param("service_tier", "service_tier must be auto or standard_only, but is '{}'",
                    excerpt(*tier));
}

// Reads what makes the prompt, and the fields of `rules`.
Expected<> read_prompt_and(const JsonFields& fields, std::vector<FieldRule> rules, ChatRequest& request) {
  std::string system;
  rules.push_back({"model", into(request.model)});
  rules.push_back(
      {"messages", [&](const JsonField& field) { return read_turns(field, request.messages); }});
  rules.push_back({"system", [&](const JsonField& field) -> Expected<> {
                     auto text = read_block_text(field);
                     if (!text) return std::unexpected(text.error());
                     system = std::move(*text);
                     return {};
                   }});
  rules.push_back(
      {"tools", [&](const JsonField& field) { return read_message_tools(field, request.offer.tools); }});
  rules.push_back({"tool_choice",
                   [&](const JsonField& field) { return read_message_tool_choice(field, request.offer); }});
  if (auto read = read_fields(fields, rules); !read) return read;
  if (request.messages.empty()) return fail_param("messages", "messages is required");
  if (!system.empty()) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = std::move(system)});
  }
  return {};
}

}  // namespace

Expected<ChatRequest> read_message_request(const JsonFields& fields) {
  ChatRequest request;
  const std::vector<FieldRule> rules = {
      max_tokens_rule("max_tokens", request, false),
      {"stop_sequences",
       [&](const JsonField& field) { return read_stop_sequences(field, request.sampling.stop); }},
      {"stream", into(request.stream)},
      sampling_rule("temperature", request.sampling),
      sampling_rule("top_p", request.sampling),
      sampling_rule("top_k", request.sampling),
      object_without_effect("metadata"),
      {"service_tier", check_service_tier},
  };
  if (auto read = read_prompt_and(fields, rules, request); !read) return std::unexpected(read.error());
  if (!request.max_tokens) return fail_param("max_tokens", "max_tokens is required");
  return request;
}

Expected<ChatRequest> read_count_tokens_request(const JsonFields& fields) {
  ChatRequest request;
  if (auto read = read_prompt_and(fields, {}, request); !read) return std::unexpected(read.error());
  return request;
}

}  // namespace quire
