#include "server/message_request.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quire {
namespace {

constexpr std::array<std::string_view, 2> kTurns = {"user", "assistant"};

// A field whose type is checked, and which has no effect here.
FieldRule object_without_effect(std::string_view name) {
  return {name, [](const JsonField& field) -> Expected<> {
            if (auto object = read_object(field); !object) return std::unexpected(object.error());
            return {};
          }};
}

std::unexpected<Error> unsupported_block(std::string_view type) {
  return fail(ErrorCode::kUnsupported, "a content block of type '{}' is not supported: send text",
              excerpt(type));
}

// {"type": "text", "text": "..."}; prompts are cached without being told to, so cache_control is of no
// matter.
Expected<std::string> read_text_block(const JsonField& block) {
  const auto object = read_object(block);
  if (!object) return std::unexpected(object.error());
  std::string type;
  std::optional<std::string> text;
  std::string_view stated;
  if (object->object["type"].get_string().get(stated) == simdjson::SUCCESS && stated != "text") {
    return unsupported_block(stated);
  }
  const FieldRule rules[] = {
      {"type", into(type)}, {"text", into(text)}, object_without_effect("cache_control")};
  if (auto read = read_fields(*object, rules, "a content block"); !read)
    return std::unexpected(read.error());
  if (type.empty()) return fail(ErrorCode::kInvalidArgument, "a content block has no type");
  if (!text) return fail(ErrorCode::kInvalidArgument, "a content block has no text");
  return std::move(*text);
}

// A string, or text blocks, which are joined with line breaks.
Expected<std::string> read_text(const JsonField& field) {
  if (field.value.is_string()) return read_string(field);
  JsonArray blocks;
  if (field.value.get_array().get(blocks) != simdjson::SUCCESS) {
    return fail_param(std::string(field.name),
                      "{} must be a string or an array of content blocks, but is {}", field.name,
                      type_name(field.value));
  }
  std::string text;
  bool first = true;
  for (const JsonValue block : blocks) {
    auto piece = read_text_block({"a content block", block, field.ignore_unknown});
    if (!piece) return piece;
    if (!std::exchange(first, false)) text += '\n';
    text += *piece;
  }
  return text;
}

Expected<> read_turn(const JsonField& field, std::string& role) {
  auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (std::ranges::find(kTurns, *text) == kTurns.end()) {
    return fail(ErrorCode::kInvalidArgument,
                "role must be user or assistant, but is '{}' (what the system says is the field 'system')",
                excerpt(*text));
  }
  role = std::move(*text);
  return {};
}

Expected<> read_text_into(const JsonField& field, std::string& target) {
  auto text = read_text(field);
  if (!text) return std::unexpected(text.error());
  target = std::move(*text);
  return {};
}

Expected<ChatMessage> read_message_turn(const JsonField& field) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  ChatMessage message;
  bool has_content = false;
  const FieldRule rules[] = {
      {"role", [&](const JsonField& role) { return read_turn(role, message.role); }},
      {"content",
       [&](const JsonField& content) {
         has_content = true;
         return read_text_into(content, message.content);
       }},
  };
  if (auto read = read_fields(*object, rules, "a message"); !read) return std::unexpected(read.error());
  if (message.role.empty()) return fail(ErrorCode::kInvalidArgument, "role is required");
  if (!has_content) return fail(ErrorCode::kInvalidArgument, "content is required");
  return message;
}

Expected<> read_turns(const JsonField& field, std::vector<ChatMessage>& messages) {
  const auto array = read_array(field);
  if (!array) return std::unexpected(array.error());
  for (const JsonValue item : *array) {
    auto message = read_message_turn({"a message", item, field.ignore_unknown});
    if (!message) {
      return fail_param("messages", "messages[{}]: {}", messages.size(), message.error().message);
    }
    messages.push_back(std::move(*message));
  }
  if (messages.empty()) return fail_param("messages", "messages must not be empty");
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
  rules.push_back({"system", [&](const JsonField& field) { return read_text_into(field, system); }});
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
