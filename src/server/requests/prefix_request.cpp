#include "server/requests/prefix_request.h"

namespace quire {
namespace {

constexpr int64_t kMaxKey = std::numeric_limits<int32_t>::max();
constexpr std::string_view kPrefixPromptSchema =
    R"({"anyOf":[{"type":"string"},)"
    R"({"type":"array","items":{"type":"integer","minimum":0,"maximum":2147483647}}]})";

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

// In a body, `prompt` or `messages`; one of them is required.
Expected<> check_source(const PrefixRequest& request) {
  if (request.prompt && !request.messages.empty()) {
    return fail_param("messages", "prompt and messages cannot both be given");
  }
  if (request.prompt && !request.tools.empty()) {
    return fail_param("tools", "tools go with messages, which the chat template shows them beside");
  }
  if (!request.prompt && request.messages.empty())
    return fail_param("prompt", "prompt or messages is required");
  return {};
}

Expected<PrefixRequest> read_prefix(const JsonFields& body, bool with_key) {
  PrefixRequest request;
  std::optional<int32_t> key;
  std::vector<FieldRule> rules = prefix_rules(request);
  if (with_key) rules.push_back({"key", into(key, 1, kMaxKey), "for whom: the number of the API key"});
  if (auto read = read_fields(body, rules); !read) return std::unexpected(read.error());
  if (auto checked = check_source(request); !checked) return std::unexpected(checked.error());
  if (key) request.key = static_cast<TenantId>(*key);
  return request;
}

}  // namespace

std::vector<FieldRule> prefix_rules(PrefixRequest& request) {
  return {model_rule(request.model),
          {"prompt",
           {{.json = kPrefixPromptSchema},
            [&request](const JsonField& field) { return read_prefix_prompt(field, request.prompt); }},
           "a text or token ids; this, or messages"},
          {"messages", messages_into(request.messages), "as a later conversation begins"},
          tools_rule(request.tools),
          {"add_special_tokens", into(request.add_special_tokens),
           "whether a text gets the model's BOS, if it wants one"},
          cache_salt_rule(request)};
}

Expected<PrefixRequest> read_prefix_request(const JsonFields& body) { return read_prefix(body, false); }

Expected<PrefixRequest> read_prefix_line(const JsonFields& body) { return read_prefix(body, true); }

}  // namespace quire
