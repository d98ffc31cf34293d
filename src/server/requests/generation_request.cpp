#include "server/requests/generation_request.h"

#include "server/requests/sampling_rules.h"
#include "server/requests/structured_output.h"

namespace quire {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxPriority = 1'000'000;
constexpr size_t kMaxCacheSaltBytes = 256;

std::vector<FieldRule> stream_options_rules(GenerationRequest& request) {
  return {{"include_usage", into(request.include_usage), "a last chunk with the usage"},
          {"continuous_usage_stats", into(request.continuous_usage_stats),
           "every chunk has the usage so far; needs include_usage"},
          {"include_obfuscation", no_effect({.type = "boolean"}), "of no effect: chunks are not padded"}};
}

void write_stream_options_schema(JsonWriter& json) {
  GenerationRequest request;
  write_object_schema(json, stream_options_rules(request));
}

Expected<> read_stream_options(const JsonField& field, GenerationRequest& request) {
  const auto object = read_object(field);
  if (!object) return std::unexpected(object.error());
  request.has_stream_options = true;
  if (auto read = read_fields(*object, stream_options_rules(request), "stream_options"); !read) return read;
  if (request.continuous_usage_stats && !request.include_usage) {
    return fail_param("continuous_usage_stats", "continuous_usage_stats needs include_usage to be true");
  }
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

Expected<> read_max_tokens(const JsonField& field, const FieldSchema& schema, GenerationRequest& request) {
  const auto value = read_integer(field, schema);
  if (!value) return std::unexpected(value.error());
  const auto tokens = static_cast<int32_t>(*value);
  if (request.max_tokens && *request.max_tokens != tokens) {
    return fail_param(std::string(field.name), "{} is {}, but {} is {}: give one of them", field.name,
                      tokens, request.max_tokens_name, *request.max_tokens);
  }
  request.max_tokens = tokens;
  request.max_tokens_name = field.name;
  return {};
}

Expected<> read_repeat_penalty(const JsonField& field) {
  const auto value = read_number(field);
  if (!value) return std::unexpected(value.error());
  if (*value == 1) return {};
  return fail_param("repeat_penalty",
                    "repeat_penalty is called repetition_penalty here; leave it out, or at 1");
}

// Theirs by other names, or without a choice here: as far as they decide what comes, nothing is passed over.
void add_rules_of_other_servers(std::vector<FieldRule>& rules) {
  rules.push_back({"guided_decoding_backend", no_effect({.type = "string"}), "of no effect: there is one"});
  rules.push_back(
      {"cache_prompt", no_effect({.type = "boolean"}), "of no effect: prompts are cached anyhow"});
  rules.push_back({"guided_whitespace_pattern", unsupported("where white space may stand is fixed")});
  rules.push_back({"grammar", unsupported("structured_outputs takes a grammar")});
  rules.push_back({"json_schema", unsupported("response_format takes a schema")});
  rules.push_back({"n_predict", unsupported("it is called max_tokens")});
  rules.push_back({"repeat_penalty", {{.json = R"({"enum":[1]})"}, read_repeat_penalty}});
}

}  // namespace

FieldRule model_rule(std::string& model) {
  return {"model", into(model), "one of /v1/models; by default the one that is served"};
}

FieldRule max_tokens_rule(std::string_view name, GenerationRequest& request, bool allow_zero) {
  const FieldSchema schema = {.type = "integer", .min = allow_zero ? 0.0 : 1.0, .max = kInt32Max};
  const auto read = [&request, schema](const JsonField& field) {
    return read_max_tokens(field, schema, request);
  };
  return {name, {schema, read}, "most tokens to generate"};
}

FieldRule cache_salt_rule(GenerationRequest& request) {
  return {"cache_salt",
          {{.json = R"({"type":"string","minLength":1,"maxLength":256})"},
           [&request](const JsonField& field) { return read_cache_salt(field, request.cache_salt); }},
          "only requests with the same one share cached prefixes; up to 256 bytes"};
}

FieldRule truncation_rule(GenerationRequest& request, std::string_view description) {
  const FieldReader number = into(request.truncate_prompt_tokens, -1, kMaxInt32);
  const auto read = [&request, number](const JsonField& field) -> Expected<> {
    if (auto done = number.read(field); !done) return done;
    if (request.truncate_prompt_tokens != 0) return {};
    return fail_param(std::string(field.name),
                      "{} must be -1 or at least 1, but is 0: nothing would be left", field.name);
  };
  return {"truncate_prompt_tokens", {number.schema, read}, description};
}

void add_placing_rules(std::vector<FieldRule>& rules, GenerationRequest& request) {
  rules.push_back({"priority", into(request.priority, -kMaxPriority, kMaxPriority),
                   "a lower one goes first; needs --scheduling-policy priority"});
  rules.push_back(cache_salt_rule(request));
}

void add_generation_rules(std::vector<FieldRule>& rules, GenerationRequest& request,
                          std::string_view except) {
  rules.push_back(model_rule(request.model));
  rules.push_back({"stream", into(request.stream), "answer with server-sent events as tokens come"});
  rules.push_back({"stream_options",
                   {{.write = write_stream_options_schema},
                    [&request](const JsonField& field) { return read_stream_options(field, request); }},
                   "what a stream has beside; needs stream to be true"});
  rules.push_back(
      {"return_token_ids", into(request.return_token_ids), "answers have the token ids beside the text"});
  add_placing_rules(rules, request);
  rules.push_back(truncation_rule(
      request, "keep only so many of the prompt's last tokens; -1: as many as leave room for the answer"));
  const std::string_view read_elsewhere[] = {"max_tokens", except};
  add_sampling_rules(rules, request.sampling, read_elsewhere);
  rules.push_back({"spaces_between_special_tokens", no_effect({.type = "boolean"}),
                   "of no effect: texts have the spaces that their tokens have"});
  rules.push_back({"user", no_effect({.type = "string"}), "of no effect: API keys say who asks"});
  add_rules_of_other_servers(rules);
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
