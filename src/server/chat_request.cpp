#include "server/chat_request.h"

#include <algorithm>
#include <array>

namespace quire {
namespace {

constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant", "tool"};

using Reader = std::function<Expected<>(const JsonField&)>;

// Fields of OpenAI's that this server does not act on are errors, but not for the values that ask for
// nothing: null (which read_fields skips), an empty array, and what `neutral` accepts.
Reader nothing_but(std::string_view neutral_values, std::function<bool(JsonValue)> neutral) {
  return [neutral_values, neutral = std::move(neutral)](const JsonField& field) -> Expected<> {
    if (neutral(field.value)) return {};
    return fail_param(std::string(field.name), "{} is not supported: it must be left out or be {}",
                      field.name, neutral_values);
  };
}

Reader nothing_but_empty() {
  return nothing_but("an empty array", [](JsonValue value) {
    return value.is_array() && value.get_array().value_unsafe().size() == 0;
  });
}

Reader nothing_but_text(std::string text) {
  return nothing_but("its neutral value", [text = std::move(text)](JsonValue value) {
    return value.is_string() && value.get_string().value_unsafe() == text;
  });
}

Reader nothing_but_false() {
  return nothing_but("false",
                     [](JsonValue value) { return value.is_bool() && !value.get_bool().value_unsafe(); });
}

Expected<> read_role(const JsonField& field, std::string& role) {
  auto value = read_string(field);
  if (!value) return std::unexpected(value.error());
  if (std::find(kRoles.begin(), kRoles.end(), *value) == kRoles.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "role must be system, developer, user, assistant or tool, but is '{}'", excerpt(*value));
  }
  // Newer clients' name of what templates call system.
  role = *value == "developer" ? "system" : std::move(*value);
  return {};
}

Expected<> read_part_type(const JsonField& field) {
  const auto type = read_string(field);
  if (!type) return std::unexpected(type.error());
  if (*type == "text") return {};
  return fail(ErrorCode::kUnsupported, "the type of a content part must be 'text', but is '{}'",
              excerpt(*type));
}

// {"type": "text", "text": "..."}
Expected<std::string> read_part(const JsonField& part) {
  const auto object = read_object(part);
  if (!object) return std::unexpected(object.error());
  std::optional<std::string> text;
  const FieldRule rules[] = {{"type", read_part_type}, {"text", into(text)}};
  if (auto read = read_fields(*object, rules, "a content part"); !read)
    return std::unexpected(read.error());
  if (!text) return fail(ErrorCode::kInvalidArgument, "a content part has no text");
  return std::move(*text);
}

// A string, or an array of text parts.
Expected<> read_content(const JsonField& field, std::optional<std::string>& content) {
  if (field.value.is_string()) return into(content)(field);
  JsonArray parts;
  if (field.value.get_array().get(parts) != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidArgument, "content must be a string or an array of parts, but is {}",
                type_name(field.value));
  }
  for (const JsonValue part : parts) {
    auto text = read_part({"a content part", part, field.ignore_unknown});
    if (!text) return std::unexpected(text.error());
    if (!content) {
      content = std::move(*text);
    } else {
      content->append("\n").append(*text);
    }
  }
  return {};
}

// What LiteLLM notes on the answers that it hands out; it means nothing here, but comes back with messages.
Expected<> read_notes(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  return {};
}

Expected<ChatMessage> read_message(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  ChatMessage message;
  std::optional<std::string> content;
  const FieldRule rules[] = {
      {"role", [&](const JsonField& field) { return read_role(field, message.role); }},
      {"content", [&](const JsonField& field) { return read_content(field, content); }},
      {"name", into(message.name)},
      {"tool_call_id", into(message.tool_call_id)},
      // What an answer of this API has, so that it can be sent back as it came.
      {"refusal", nothing_but_empty()},
      {"annotations", nothing_but_empty()},
      {"audio", nothing_but_empty()},
      {"function_call", nothing_but_empty()},
      {"tool_calls",
       [&](const JsonField& field) -> Expected<> {
         auto calls = read_message_tool_calls(field);
         if (!calls) return std::unexpected(calls.error());
         message.tool_calls = std::move(*calls);
         return {};
       }},
      {"reasoning_content", into(message.reasoning_content)},
      {"provider_specific_fields", read_notes},
  };
  if (auto read = read_fields(*object, rules, "a message"); !read) return std::unexpected(read.error());
  if (message.role.empty()) return fail(ErrorCode::kInvalidArgument, "role is required");
  if (message.role != "assistant" && (!message.tool_calls.empty() || message.reasoning_content)) {
    return fail(ErrorCode::kInvalidArgument, "{} goes with the role assistant alone",
                message.tool_calls.empty() ? "reasoning_content" : "tool_calls");
  }
  if (!content && message.tool_calls.empty()) {
    return fail(ErrorCode::kInvalidArgument, "content is required");
  }
  message.has_content = content.has_value();
  message.content = std::move(content).value_or("");
  return message;
}

// Alternatives are asked for in two fields; the engine knows one number.
Expected<> combine_logprobs(ChatRequest& request, bool logprobs, std::optional<int64_t> top_logprobs) {
  if (top_logprobs && (*top_logprobs < 0 || *top_logprobs > kMaxLogprobs)) {
    return fail_param("top_logprobs", "top_logprobs must be at least 0 and at most {}, but is {}",
                      kMaxLogprobs, *top_logprobs);
  }
  if (top_logprobs && *top_logprobs > 0 && !logprobs) {
    return fail_param("top_logprobs", "top_logprobs needs logprobs to be true");
  }
  if (logprobs) request.sampling.logprobs = static_cast<int32_t>(top_logprobs.value_or(0));
  return {};
}

void add_unsupported_rules(std::vector<FieldRule>& rules) {
  rules.push_back({"functions", nothing_but_empty()});
  rules.push_back({"function_call", nothing_but_text("none")});
  rules.push_back({"store", nothing_but_false()});
  rules.push_back({"service_tier", nothing_but_text("auto")});
}

}  // namespace

Expected<std::vector<ChatMessage>> read_messages(const JsonField& field) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  std::vector<ChatMessage> messages;
  for (const JsonValue item : *array) {
    auto message = read_message({"a message", item, field.ignore_unknown});
    if (!message) {
      return fail_param(std::string(field.name), "{}[{}]: {}", field.name, messages.size(),
                        message.error().message);
    }
    messages.push_back(std::move(*message));
  }
  if (messages.empty()) return fail_param(std::string(field.name), "{} must not be empty", field.name);
  return messages;
}

Expected<ChatRequest> read_chat_request(const JsonFields& body) {
  ChatRequest request;
  bool logprobs = false;
  std::optional<int64_t> top_logprobs;
  std::vector<FieldRule> rules = {
      {"messages",
       [&](const JsonField& field) -> Expected<> {
         auto messages = read_messages(field);
         if (!messages) return std::unexpected(messages.error());
         request.messages = std::move(*messages);
         return {};
       }},
      {"add_generation_prompt", into(request.add_generation_prompt)},
      {"logprobs", into(logprobs)},
      {"top_logprobs", into(top_logprobs)},
      max_tokens_rule("max_tokens", request, false),
      max_tokens_rule("max_completion_tokens", request, false),
  };
  add_generation_rules(rules, request);
  add_tool_rules(rules, request.offer);
  add_unsupported_rules(rules);
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (request.messages.empty()) return fail_param("messages", "messages is required");
  if (auto combined = combine_logprobs(request, logprobs, top_logprobs); !combined) {
    return std::unexpected(combined.error());
  }
  if (auto checked = check_generation(request); !checked) return std::unexpected(checked.error());
  return request;
}

}  // namespace quire
