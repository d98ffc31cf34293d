#include "server/generation_request.h"

#include <algorithm>

#include "server/structured_output.h"

namespace quire {
namespace {

constexpr int64_t kMaxPriority = 1'000'000;
constexpr size_t kMaxCacheSaltBytes = 256;

Expected<> read_stream_options(const JsonField& field, GenerationRequest& request) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  request.has_stream_options = true;
  const FieldRule rules[] = {{"include_usage", into(request.include_usage)}};
  return read_fields(*object, rules, "stream_options");
}

Expected<> read_priority(const JsonField& field, int32_t& priority) {
  const auto value = read_integer(field);
  if (!value) return std::unexpected(value.error());
  if (*value < -kMaxPriority || *value > kMaxPriority) {
    return fail_param("priority", "priority must be {} to {}, but is {}", -kMaxPriority, kMaxPriority,
                      *value);
  }
  priority = static_cast<int32_t>(*value);
  return {};
}

Expected<> read_cache_salt(const JsonField& field, std::string& salt) {
  auto text = read_string(field);
  if (!text) return std::unexpected(text.error());
  if (text->empty() || text->size() > kMaxCacheSaltBytes) {
    return fail_param("cache_salt", "cache_salt must be 1 to {} bytes, but is {}", kMaxCacheSaltBytes,
                      text->size());
  }
  salt = *text;
  return {};
}

// Who asks is of no use here, but the field's type is checked.
Expected<> read_user(const JsonField& field) {
  const auto user = read_string(field);
  if (!user) return std::unexpected(user.error());
  return {};
}

Expected<> read_max_tokens(const JsonField& field, GenerationRequest& request, bool allow_zero) {
  const auto value = read_integer(field);
  if (!value) return std::unexpected(value.error());
  const int64_t least = allow_zero ? 0 : 1;
  if (*value < least || !std::in_range<int32_t>(*value)) {
    return fail_param(std::string(field.name), "{} must be at least {} and at most {}, but is {}",
                      field.name, least, std::numeric_limits<int32_t>::max(), *value);
  }
  const auto tokens = static_cast<int32_t>(*value);
  if (request.max_tokens && *request.max_tokens != tokens) {
    return fail_param(std::string(field.name), "max_tokens and max_completion_tokens differ: {} and {}",
                      *request.max_tokens, tokens);
  }
  request.max_tokens = tokens;
  return {};
}

}  // namespace

FieldRule max_tokens_rule(std::string_view name, GenerationRequest& request, bool allow_zero) {
  return {name, [&request, allow_zero](const JsonField& field) {
            return read_max_tokens(field, request, allow_zero);
          }};
}

FieldRule cache_salt_rule(GenerationRequest& request) {
  return {"cache_salt",
          [&request](const JsonField& field) { return read_cache_salt(field, request.cache_salt); }};
}

void add_generation_rules(std::vector<FieldRule>& rules, GenerationRequest& request) {
  rules.push_back({"model", into(request.model)});
  rules.push_back({"stream", into(request.stream)});
  rules.push_back({"stream_options",
                   [&request](const JsonField& field) { return read_stream_options(field, request); }});
  rules.push_back({"user", read_user});
  rules.push_back({"return_token_ids", into(request.return_token_ids)});
  rules.push_back(
      {"priority", [&request](const JsonField& field) { return read_priority(field, request.priority); }});
  rules.push_back(cache_salt_rule(request));
  add_sampling_rules(rules, request.sampling);
  add_structured_output_rules(rules, request.structured_output);
}

Expected<> check_generation(const GenerationRequest& request) {
  if (request.has_stream_options && !request.stream) {
    return fail_param("stream_options", "stream_options needs stream to be true");
  }
  if (request.stream && request.sampling.ranks_draws()) {
    return fail_param("best_of",
                      "best_of ({}) above n ({}) cannot be streamed: the best are known at the end",
                      request.sampling.num_sequences(), request.sampling.n);
  }
  if (request.structured_output && request.sampling.ignore_eos) {
    return fail_param("ignore_eos", "ignore_eos cannot be used with {}, which says where the output ends",
                      request.structured_output->field);
  }
  if (request.stream && request.sampling.prompt_logprobs) {
    return fail_param("prompt_logprobs", "prompt_logprobs cannot be streamed");
  }
  return {};
}

}  // namespace quire
