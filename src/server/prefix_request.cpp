#include "server/prefix_request.h"

namespace quire {
namespace {

// A string, or an array of token ids.
Expected<> read_prefix_prompt(const JsonField& field, std::optional<CompletionRequest::Prompt>& prompt) {
  if (field.value.is_string()) {
    prompt = std::string(field.value.get_string().value_unsafe());
    return {};
  }
  if (!field.value.is_array()) {
    return fail_param("prompt", "prompt must be a string or token ids, but is {}", type_name(field.value));
  }
  auto ids = read_token_ids(field);
  if (!ids) return std::unexpected(ids.error());
  prompt = std::move(*ids);
  return {};
}

Expected<> read_key(const JsonField& field, std::optional<TenantId>& key) {
  const auto value = read_integer(field);
  if (!value) return std::unexpected(value.error());
  if (*value < 1 || !std::in_range<TenantId>(*value)) {
    return fail_param("key", "key must be the number of an API key, from 1 on, but is {}", *value);
  }
  key = static_cast<TenantId>(*value);
  return {};
}

Expected<PrefixRequest> read_prefix(const JsonFields& body, bool with_key) {
  PrefixRequest request;
  std::vector<FieldRule> rules = {
      {"model", into(request.model)},
      {"prompt", [&](const JsonField& field) { return read_prefix_prompt(field, request.prompt); }},
      {"messages",
       [&](const JsonField& field) -> Expected<> {
         auto messages = read_messages(field);
         if (!messages) return std::unexpected(messages.error());
         request.messages = std::move(*messages);
         return {};
       }},
      tools_rule(request.tools),
      {"add_special_tokens", into(request.add_special_tokens)},
      cache_salt_rule(request),
  };
  if (with_key)
    rules.push_back({"key", [&](const JsonField& field) { return read_key(field, request.key); }});
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (request.prompt && !request.messages.empty()) {
    return fail_param("messages", "prompt and messages cannot both be given");
  }
  if (request.prompt && !request.tools.empty()) {
    return fail_param("tools", "tools go with messages, which the chat template shows them beside");
  }
  if (!request.prompt && request.messages.empty())
    return fail_param("prompt", "prompt or messages is required");
  return request;
}

}  // namespace

Expected<PrefixRequest> read_prefix_request(const JsonFields& body) { return read_prefix(body, false); }

Expected<PrefixRequest> read_prefix_line(const JsonFields& body) { return read_prefix(body, true); }

}  // namespace quire
