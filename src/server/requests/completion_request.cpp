#include "server/requests/completion_request.h"

namespace quire {
namespace {

using Prompt = CompletionRequest::Prompt;

constexpr std::string_view kPromptSchema =
    R"({"anyOf":[{"type":"string"},)"
    R"({"type":"array","minItems":1,"maxItems":1024,"items":{"type":"string"}},)"
    R"({"type":"array","minItems":1,"items":{"type":"integer","minimum":0,"maximum":2147483647}},)"
    R"({"type":"array","minItems":1,"maxItems":1024,"items":{"type":"array","minItems":1,)"
    R"("items":{"type":"integer","minimum":0,"maximum":2147483647}}}]})";

// One element of an array of prompts.
Expected<Prompt> read_one_prompt(const JsonField& field) {
  if (field.value.is_array()) {
    auto ids = read_token_ids(field);
    if (!ids) return std::unexpected(ids.error());
    return Prompt(std::move(*ids));
  }
  if (!field.value.is_string()) {
    return fail_param(std::string(field.name),
                      "each {} must be a string or an array of token ids, but one is {}", field.name,
                      type_name(field.value));
  }
  return Prompt(std::string(field.value.get_string().value_unsafe()));
}

Expected<> check_combinations(const CompletionRequest& request) {
  if (request.prompt_only() && !request.echo) {
    return fail_param("max_tokens", "max_tokens must be at least 1 without echo, but is 0");
  }
  if (request.echo && request.sampling.prompt_logprobs) {
    return fail_param("prompt_logprobs", "with echo, the prompt's log-probabilities come by logprobs");
  }
  return {};
}

}  // namespace

Expected<> read_prompts(const JsonField& field, size_t max_prompts, std::vector<Prompt>& prompts) {
  const std::string param(field.name);
  if (field.value.is_string()) {
    prompts.emplace_back(std::string(field.value.get_string().value_unsafe()));
    return {};
  }
  if (!field.value.is_array()) {
    return fail_param(param, "{} must be a string, an array of strings, or token ids, but is {}", param,
                      type_name(field.value));
  }
  const JsonArray array = field.value.get_array().value_unsafe();
  if (array.begin() == array.end()) return fail_param(param, "{} must not be empty", param);
  const JsonValue first = *array.begin();
  if (first.is_number()) {
    auto ids = read_token_ids(field);
    if (!ids) return std::unexpected(ids.error());
    prompts.emplace_back(std::move(*ids));
    return {};
  }
  for (const JsonValue item : array) {
    if (prompts.size() == max_prompts) {
      return fail_param(param, "a request takes at most {} of {}", max_prompts, param);
    }
    if (item.type() != first.type()) {
      return fail_param(param, "all of {} must be of one kind, but one is {} and another {}", param,
                        type_name(first), type_name(item));
    }
    auto prompt = read_one_prompt({field.name, item});
    if (!prompt) return std::unexpected(prompt.error());
    prompts.push_back(std::move(*prompt));
  }
  return {};
}

std::vector<FieldRule> completion_rules(CompletionRequest& request) {
  std::vector<FieldRule> rules = {
      {"prompt",
       {{.json = kPromptSchema},
        [&request](const JsonField& field) { return read_prompts(field, kMaxPrompts, request.prompts); }},
       "a text or token ids, or several of either",
       true},
      {"suffix", unsupported("this model completes text, it does not fill in", R"("")"), ""},
      {"echo", into(request.echo), "the prompt stands before what is generated, and has its logprobs too"},
      {"add_special_tokens", into(request.add_special_tokens),
       "whether texts get the model's BOS, if it wants one"},
      max_tokens_rule("max_tokens", request, true),
  };
  add_generation_rules(rules, request);
  return rules;
}

Expected<CompletionRequest> read_completion_request(const JsonFields& body) {
  CompletionRequest request;
  if (auto read = read_fields(body, completion_rules(request)); !read) return std::unexpected(read.error());
  if (auto checked = check_combinations(request); !checked) return std::unexpected(checked.error());
  if (auto checked = check_generation(request); !checked) return std::unexpected(checked.error());
  if (request.echo && request.sampling.logprobs)
    request.sampling.prompt_logprobs = request.sampling.logprobs;
  return request;
}

}  // namespace quire
