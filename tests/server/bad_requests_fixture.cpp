#include <fmt/format.h>

#include <vector>

#include "tests/server/bad_requests.h"

namespace quire {
namespace {

constexpr const char* kComplete = "/v1/completions";
constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kTokenize = "/tokenize";
constexpr const char* kDetokenize = "/detokenize";

std::string repeated(std::string_view item, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}{}", i ? "," : "", item);
  return out;
}

// Fields that every generating endpoint has, each with a value that is wrong.
struct BadField {
  std::string field;
  std::string_view param;
  std::string_view message;
};

std::vector<BadField> bad_sampling_fields() {
  std::string biases;
  for (int i = 0; i < 1025; ++i) biases += fmt::format("{}\"{}\":1", i ? "," : "", i);
  return {
      {R"("n": 0)", "n", "n must be at least 1 and at most 128, but is 0"},
      {R"("n": -1)", "n", "but is -1"},
      {R"("n": 129)", "n", "but is 129"},
      {R"("n": 9)", "n", "at most 8"},
      {R"("n": 9223372036854775807)", "n", "at most 128"},
      {R"("n": 18446744073709551615)", "n", "too large"},
      {R"("n": 1.0)", "n", "must be an integer, but is a number with a fraction"},
      {R"("n": 1e3)", "n", "must be an integer"},
      {R"("n": true)", "n", "must be an integer, but is a boolean"},
      {R"("n": "1")", "n", "must be an integer, but is a string"},
      {R"("n": [1])", "n", "but is an array"},
      {R"("n": {})", "n", "but is an object"},
      {R"("use_beam_search": 1)", "use_beam_search", "must be true or false"},
      {R"("use_beam_search": true, "temperature": 0.5)", "temperature",
       "0 or left out with use_beam_search"},
      {R"("use_beam_search": true, "top_p": 0.5)", "top_p", "cannot be used with use_beam_search"},
      {R"("use_beam_search": true, "top_k": 5)", "top_k", "nothing is drawn"},
      {R"("use_beam_search": true, "min_p": 0.5)", "min_p", "nothing is drawn"},
      {R"("use_beam_search": true, "stop": "a")", "stop", "stop_token_ids"},
      {R"("length_penalty": 2)", "length_penalty", "needs use_beam_search"},
      {R"("use_beam_search": true, "length_penalty": 11)", "length_penalty", "at most 10"},
      {R"("early_stopping": true)", "early_stopping", "needs use_beam_search"},
      {R"("use_beam_search": true, "early_stopping": "soon")", "early_stopping",
       "true, false or \"never\""},
      {R"("use_beam_search": true, "early_stopping": 1)", "early_stopping", "true, false or \"never\""},
      {R"("max_tokens": -1)", "max_tokens", "but is -1"},
      {R"("max_tokens": 2147483648)", "max_tokens", "but is 2147483648"},
      {R"("max_tokens": 256)", "max_tokens", "the context holds 256 in all"},
      {R"("max_tokens": 2147483647)", "max_tokens", "the context holds 256 in all"},
      {R"("max_tokens": 1.5)", "max_tokens", "integer"},
      {R"("max_tokens": "16")", "max_tokens", "integer"},
      {R"("max_tokens": false)", "max_tokens", "integer"},
      {R"("min_tokens": -1)", "min_tokens", "but is -1"},
      {R"("min_tokens": 5, "max_tokens": 4)", "min_tokens",
       "min_tokens (5) must be at most max_tokens (4)"},
      {R"("min_tokens": true)", "min_tokens", "integer"},
      {R"("temperature": -0.1)", "temperature", "but is -0.1"},
      {R"("temperature": 2.01)", "temperature", "at least 0 and at most 2"},
      {R"("temperature": true)", "temperature", "must be a number, but is a boolean"},
      {R"("temperature": "0")", "temperature", "must be a number, but is a string"},
      {R"("temperature": 1e308)", "temperature", "at most 2"},
      {R"("top_p": 0)", "top_p", "greater than 0"},
      {R"("top_p": 1.1)", "top_p", "at most 1"},
      {R"("top_p": -1)", "top_p", "greater than 0"},
      {R"("top_p": [])", "top_p", "number"},
      {R"("top_k": -2)", "top_k", "at least -1"},
      {R"("top_k": 1.5)", "top_k", "integer"},
      {R"("top_k": 4294967296)", "top_k", "top_k"},
      {R"("min_p": -0.1)", "min_p", "at least 0"},
      {R"("min_p": 1.1)", "min_p", "at most 1"},
      {R"("min_p": {})", "min_p", "number"},
      {R"("repetition_penalty": 0)", "repetition_penalty", "greater than 0"},
      {R"("repetition_penalty": 2.1)", "repetition_penalty", "at most 2"},
      {R"("repetition_penalty": "x")", "repetition_penalty", "number"},
      {R"("presence_penalty": -2.1)", "presence_penalty", "at least -2"},
      {R"("presence_penalty": 2.1)", "presence_penalty", "at most 2"},
      {R"("frequency_penalty": -2.1)", "frequency_penalty", "at least -2"},
      {R"("frequency_penalty": 2.1)", "frequency_penalty", "at most 2"},
      {R"("frequency_penalty": [0])", "frequency_penalty", "number"},
      {R"("priority": 1)", "priority", "scheduling_policy is fcfs"},
      {R"("priority": 1.5)", "priority", "integer"},
      {R"("cache_salt": 1)", "cache_salt", "string"},
      {R"("cache_salt": "")", "cache_salt", "1 to 256 bytes, but is 0"},
      {R"("priority": "high")", "priority", "integer"},
      {R"("priority": 1000001)", "priority", "at most 1000000, but is 1000001"},
      {R"("seed": 1.5)", "seed", "integer"},
      {R"("seed": "7")", "seed", "integer"},
      {R"("seed": true)", "seed", "integer"},
      {R"("prompt_logprobs": 21)", "prompt_logprobs", "at most 20"},
      {R"("prompt_logprobs": -1)", "prompt_logprobs", "at least 0"},
      {R"("prompt_logprobs": 1, "stream": true)", "prompt_logprobs", "cannot be streamed"},
      {R"("ignore_eos": 1)", "ignore_eos", "true or false"},
      {R"("ignore_eos": "true")", "ignore_eos", "true or false"},
      {R"("skip_special_tokens": 0)", "skip_special_tokens", "true or false"},
      {R"("include_stop_str_in_output": [])", "include_stop_str_in_output", "true or false"},
      {R"("stop": "")", "stop", "must not be empty"},
      {R"("stop": ["a", ""])", "stop", "must not be empty"},
      {R"("stop": 1)", "stop", "a string or an array of strings"},
      {R"("stop": [1])", "stop", "must be a string, but is an integer"},
      {R"("stop": [null])", "stop", "must be a string, but is null"},
      {R"("stop": {"a": 1})", "stop", "a string or an array of strings"},
      {fmt::format(R"("stop": [{}])", repeated("\"x\"", 17)), "stop", "at most 16"},
      {R"("stop_token_ids": 1)", "stop_token_ids", "must be an array"},
      {R"("stop_token_ids": [258])", "stop_token_ids", "258"},
      {R"("stop_token_ids": [-1])", "stop_token_ids", "-1"},
      {R"("stop_token_ids": ["1"])", "stop_token_ids", "integer"},
      {R"("stop_token_ids": [1e2])", "stop_token_ids", "integer"},
      {R"("stop_token_ids": [99999999999])", "stop_token_ids", "no token id"},
      {R"("logit_bias": [])", "logit_bias", "must be an object"},
      {R"("logit_bias": {"a": 1})", "logit_bias", "no token id"},
      {R"("logit_bias": {"1.5": 1})", "logit_bias", "no token id"},
      {R"("logit_bias": {" 1": 1})", "logit_bias", "no token id"},
      {R"("logit_bias": {"": 1})", "logit_bias", "no token id"},
      {R"("logit_bias": {"99999999999": 1})", "logit_bias", "no token id"},
      {R"("logit_bias": {"258": 1})", "logit_bias", "258"},
      {R"("logit_bias": {"-1": 1})", "logit_bias", "-1"},
      {R"("logit_bias": {"1": 100.5})", "logit_bias", "-100 to 100"},
      {R"("logit_bias": {"1": "1"})", "logit_bias", "must be a number"},
      {R"("logit_bias": {"1": null})", "logit_bias", "must be a number, but is null"},
      {fmt::format(R"("logit_bias": {{{}}})", biases), "logit_bias", "at most 1024"},
      {R"("stream": 1)", "stream", "true or false"},
      {R"("stream": "yes")", "stream", "true or false"},
      {R"("stream_options": {"include_usage": true})", "stream_options", "needs stream"},
      {R"("stream": true, "stream_options": [])", "stream_options", "must be an object"},
      {R"("stream": true, "stream_options": {"include_usage": 1})", "include_usage", "true or false"},
      {R"("stream": true, "stream_options": {"include_usag": true})", "include_usag",
       "unknown field 'include_usag' in stream_options; did you mean 'include_usage'?"},
      {R"("user": 1)", "user", "must be a string"},
      {R"("truncate_prompt_tokens": 0)", "truncate_prompt_tokens", "-1 or at least 1"},
      {R"("truncate_prompt_tokens": -2)", "truncate_prompt_tokens", "at least -1"},
      {R"("truncate_prompt_tokens": true)", "truncate_prompt_tokens", "integer"},
      {R"("spaces_between_special_tokens": 1)", "spaces_between_special_tokens", "true or false"},
      {R"("stream": true, "stream_options": {"continuous_usage_stats": true})", "continuous_usage_stats",
       "needs include_usage"},
      {R"("return_token_ids": 1)", "return_token_ids", "true or false"},
      {R"("model": 1)", "model", "must be a string"},
      {R"("temprature": 1)", "temprature", "unknown field 'temprature'; did you mean 'temperature'?"},
      {R"("Temperature": 1)", "Temperature", "did you mean 'temperature'?"},
      {R"("zzzzzzzzzzzzzz": 0)", "zzzzzzzzzzzzzz", "unknown field 'zzzzzzzzzzzzzz'"},
      {R"("": 1)", "", "unknown field ''"},
      {R"("seed": 1, "seed": 2)", "seed", "more than once"},
  };
}

std::vector<BadRequest> bad_completions() {
  const std::string long_prompt(300, 'a'), huge_prompt(1'000'000, 'a');
  std::vector<BadRequest> rows = {
      {kComplete, "", 400, "", "empty"},
      {kComplete, "{", 400, "", "JSON"},
      {kComplete, "[]", 400, "", "must be a JSON object"},
      {kComplete, "\"x\"", 400, "", "must be a JSON object"},
      {kComplete, R"({"prompt": "a")", 400, "", "JSON"},
      {kComplete, R"({"prompt": "a"} {"prompt": "b"})", 400, "", "JSON"},
      {kComplete, R"({"prompt": "a", "temperature": NaN})", 400, "", "JSON"},
      {kComplete, R"({"prompt": "a", "temperature": 1e999})", 400, "", "number"},
      {kComplete, R"({"prompt": "a", "seed": 18446744073709551616})", 400, "", "number"},
      {kComplete, "{\"prompt\": \"\xff\"}", 400, "", "UTF-8"},
      {kComplete, R"({"prompt": "\ud800"})", 400, "", "surrogate"},
      {kComplete, R"({"prompt": "\udfff x"})", 400, "", "surrogate"},
      {kComplete, fmt::format("{{\"prompt\": {}", std::string(100'000, '[')), 400, "", "JSON"},
      {kComplete, fmt::format("{{\"prompt\": {}{}}}", std::string(100'000, '['), std::string(100'000, ']')),
       400, "", "deeper"},
      {kComplete, "{}", 400, "prompt", "prompt is required"},
      {kComplete, R"({"prompt": null})", 400, "prompt", "prompt is required"},
      {kComplete, R"({"prompt": 1})", 400, "prompt", "but is an integer"},
      {kComplete, R"({"prompt": true})", 400, "prompt", "but is a boolean"},
      {kComplete, R"({"prompt": {}})", 400, "prompt", "but is an object"},
      {kComplete, R"({"prompt": ""})", 400, "prompt", "the prompt is empty"},
      {kComplete, R"({"prompt": []})", 400, "prompt", "must not be empty"},
      {kComplete, R"({"prompt": [[]]})", 400, "prompt", "the prompt is empty"},
      {kComplete, R"({"prompt": ["a", ""]})", 400, "prompt", "the prompt is empty"},
      {kComplete, R"({"prompt": ["a", 1]})", 400, "prompt", "of one kind"},
      {kComplete, R"({"prompt": ["a", [1]]})", 400, "prompt", "of one kind"},
      {kComplete, R"({"prompt": [[1], "a"]})", 400, "prompt", "of one kind"},
      {kComplete, R"({"prompt": [1, "a"]})", 400, "prompt", "must be an integer, but one is a string"},
      {kComplete, R"({"prompt": [1, [1]]})", 400, "prompt", "must be an integer, but one is an array"},
      {kComplete, R"({"prompt": [1.5]})", 400, "prompt", "must be an integer"},
      {kComplete, R"({"prompt": [true]})", 400, "prompt", "each prompt must be"},
      {kComplete, R"({"prompt": [null]})", 400, "prompt", "each prompt must be"},
      {kComplete, R"({"prompt": [{}]})", 400, "prompt", "each prompt must be"},
      {kComplete, R"({"prompt": [[1, null]]})", 400, "prompt", "but one is null"},
      {kComplete, R"({"prompt": [258]})", 400, "prompt", "the token id 258"},
      {kComplete, R"({"prompt": [-1]})", 400, "prompt", "the token id -1"},
      {kComplete, R"({"prompt": [4294967296]})", 400, "prompt", "no token id"},
      {kComplete, R"({"prompt": [18446744073709551615]})", 400, "prompt", "token id"},
      {kComplete, fmt::format(R"({{"prompt": [{}]}})", repeated("\"a\"", 1025)), 400, "prompt",
       "at most 1024"},
      {kComplete, fmt::format(R"({{"prompt": "{}"}})", long_prompt), 400, "prompt",
       "300 tokens, but the context holds 256"},
      {kComplete, fmt::format(R"({{"prompt": [{}]}})", repeated("97", 256)), 400, "prompt", "256 tokens"},
      {kComplete, fmt::format(R"({{"prompt": "{}"}})", huge_prompt), 400, "prompt", "at least "},
      {kComplete, R"({"prompt": "a", "model": "gpt-4"})", 404, "model", "'gpt-4' is not served"},
      {kComplete, R"({"prompt": "a", "suffix": "b"})", 400, "suffix", "not supported"},
      {kComplete, R"({"prompt": "a", "suffix": ""})", 400, "suffix", "not supported"},
      {kComplete, R"({"prompt": "a", "best_of": 2, "stream": true})", 400, "best_of",
       "best_of (2) above n (1) cannot be streamed"},
      {kComplete, R"({"prompt": "a", "best_of": 1, "n": 2})", 400, "best_of",
       "best_of (1) must be at least n (2)"},
      {kComplete, R"({"prompt": "a", "best_of": 9})", 400, "best_of", "best_of must be at most 8"},
      {kComplete, R"({"prompt": "a", "best_of": "1"})", 400, "best_of", "integer"},
      {kComplete, R"({"prompt": "a", "best_of": -9223372036854775808})", 400, "best_of", "at least 1"},
      {kComplete, R"({"prompt": "a", "echo": 1})", 400, "echo", "true or false"},
      {kComplete, R"({"prompt": "a", "echo": true, "prompt_logprobs": 1})", 400, "prompt_logprobs",
       "with echo"},
      {kComplete, R"({"prompt": "a", "max_tokens": 0})", 400, "max_tokens", "at least 1 without echo"},
      {kComplete, R"({"prompt": "a", "add_special_tokens": "no"})", 400, "add_special_tokens",
       "true or false"},
      {kComplete, R"({"prompt": "a", "logprobs": 21})", 400, "logprobs", "at most 20"},
      {kComplete, R"({"prompt": "a", "logprobs": -1})", 400, "logprobs", "at least 0"},
      {kComplete, R"({"prompt": "a", "logprobs": true})", 400, "logprobs",
       "must be an integer, but is a boolean"},
      {kComplete, R"({"prompt": "a", "logprobs": 1.0})", 400, "logprobs", "integer"},
      {kComplete, R"({"prompt": "a", "messages": []})", 400, "messages", "unknown field 'messages'"},
      {kComplete, R"({"prompt": "a", "max_completion_tokens": 1})", 400, "max_completion_tokens",
       "unknown field"},
      {kComplete,
       fmt::format(R"({{"prompt": [{}], "max_tokens": 255, "n": 8, "logprobs": 20}})",
                   repeated("\"a\"", 1000)),
       400, "max_tokens", "lower one of them"},
  };
  for (const auto& bad : bad_sampling_fields()) {
    rows.push_back(
        {kComplete, fmt::format(R"({{"prompt": "a", {}}})", bad.field), 400, bad.param, bad.message});
  }
  return rows;
}

std::vector<BadRequest> bad_chats() {
  const auto chat = [](std::string_view messages, std::string_view more = "") {
    return fmt::format(R"({{"messages": {}{}{}}})", messages, more.empty() ? "" : ", ", more);
  };
  const auto user = [&](std::string_view more) {
    return chat(R"([{"role": "user", "content": "a"}])", more);
  };
  std::vector<BadRequest> rows = {
      {kChat, "{}", 400, "messages", "messages is required"},
      {kChat, chat("null"), 400, "messages", "messages is required"},
      {kChat, chat("[]"), 400, "messages", "must not be empty"},
      {kChat, chat("\"hi\""), 400, "messages", "must be an array"},
      {kChat, chat("{}"), 400, "messages", "must be an array"},
      {kChat, chat("[1]"), 400, "messages", "messages[0]: a message must be an object"},
      {kChat, chat("[null]"), 400, "messages", "messages[0]"},
      {kChat, chat("[{}]"), 400, "messages", "messages[0]: role is required"},
      {kChat, chat(R"([{"role": "user"}])"), 400, "messages", "messages[0]: content is required"},
      {kChat, chat(R"([{"role": "user", "content": null}])"), 400, "messages", "content is required"},
      {kChat, chat(R"([{"content": "a"}])"), 400, "messages", "role is required"},
      {kChat, chat(R"([{"role": "robot", "content": "a"}])"), 400, "messages", "but is 'robot'"},
      {kChat, chat(R"([{"role": 1, "content": "a"}])"), 400, "messages", "role must be a string"},
      {kChat, chat(R"([{"role": "user", "content": 1}])"), 400, "messages",
       "content must be a string or an array"},
      {kChat, chat(R"([{"role": "user", "content": {}}])"), 400, "messages",
       "content must be a string or an array"},
      {kChat, chat(R"([{"role": "user", "content": []}])"), 400, "messages", "content is required"},
      {kChat, chat(R"([{"role": "user", "content": ["a"]}])"), 400, "messages",
       "a content part must be an object"},
      {kChat, chat(R"([{"role": "user", "content": [{"type": "text"}]}])"), 400, "messages",
       "text is required"},
      {kChat, chat(R"([{"role": "user", "content": [{"type": "text", "text": 1}]}])"), 400, "messages",
       "text must be"},
      {kChat, chat(R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])"),
       400, "messages", "must be 'text', but is 'image_url'"},
      {kChat, chat(R"([{"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]}])"), 400,
       "messages", "unknown field 'x' in a content part"},
      {kChat, chat(R"([{"role": "user", "content": "a", "contnet": "b"}])"), 400, "messages",
       "did you mean 'content'?"},
      {kChat, chat(R"([{"role": "user", "content": "a"}, {"role": "x", "content": "a"}])"), 400, "messages",
       "messages[1]"},
      {kChat, chat(R"([{"role": "assistant", "content": "a", "tool_calls": [{}]}])"), 400, "messages",
       "a call needs a function"},
      {kChat, chat(R"([{"role": "user", "content": "a", "name": 1}])"), 400, "messages",
       "name must be a string"},
      {kChat, chat(R"([{"role": "user", "content": "\ud800"}])"), 400, "", "surrogate"},
      {kChat, chat(fmt::format(R"([{{"role": "user", "content": "{}"}}])", std::string(256, 'a'))), 400,
       "messages", "257 tokens, but the context holds 256"},
      {kChat, chat(fmt::format(R"([{{"role": "user", "content": "{}"}}])", std::string(100'000, 'a'))), 400,
       "messages", "at least "},
      {kChat, user(R"("model": "other")"), 404, "model", "not served"},
      {kChat, user(R"("prompt": "a")"), 400, "prompt", "unknown field 'prompt'"},
      {kChat, user(R"("echo": "yes")"), 400, "echo", "true or false"},
      {kChat, user(R"("max_tokens": 0)"), 400, "max_tokens", "at least 1"},
      {kChat, user(R"("max_completion_tokens": 0)"), 400, "max_completion_tokens", "at least 1"},
      {kChat, user(R"("max_completion_tokens": true)"), 400, "max_completion_tokens", "integer"},
      {kChat, user(R"("max_completion_tokens": 2, "max_tokens": 3)"), 400, "max_tokens", "differ: 2 and 3"},
      {kChat, user(R"("logprobs": 1)"), 400, "logprobs", "true or false"},
      {kChat, user(R"("top_logprobs": 1)"), 400, "top_logprobs", "needs logprobs"},
      {kChat, user(R"("logprobs": false, "top_logprobs": 1)"), 400, "top_logprobs", "needs logprobs"},
      {kChat, user(R"("logprobs": true, "top_logprobs": 21)"), 400, "top_logprobs", "at most 20"},
      {kChat, user(R"("logprobs": true, "top_logprobs": -1)"), 400, "top_logprobs", "at least 0"},
      {kChat, user(R"("logprobs": true, "top_logprobs": true)"), 400, "top_logprobs", "integer"},
      {kChat, user(R"("add_generation_prompt": 1)"), 400, "add_generation_prompt", "true or false"},
      {kChat, user(R"("tools": [{"type": "function"}])"), 400, "tools", "a tool needs a function"},
      {kChat, user(R"("tools": {})"), 400, "tools", "tools must be an array"},
      {kChat, user(R"("tool_choice": "required")"), 400, "tool_choice", "needs tools"},
      {kChat, user(R"("functions": [{}])"), 400, "functions", "not supported"},
      {kChat, user(R"("function_call": "auto")"), 400, "function_call", "not supported"},
      {kChat, user(R"("response_format": {"type": "json"})"), 400, "response_format", "json_schema"},
      {kChat, user(R"("response_format": {"type": "text", "x": 1})"), 400, "response_format", "'x'"},
      {kChat, user(R"("response_format": "text")"), 400, "response_format", "must be an object"},
      {kChat,
       user(R"("response_format": {"type": "json_schema", "json_schema": {)"
            R"("name": "x", "schema": {"not": 1}}})"),
       400, "response_format", "'not'"},
      {kChat, user(R"("structured_outputs": {"regex": "("})"), 400, "structured_outputs", "without a ')'"},
      {kChat, user(R"("structured_outputs": {"regex": "a", "json": {}})"), 400, "structured_outputs",
       "one kind"},
      {kChat, user(R"("guided_choice": [])"), 400, "guided_choice", "at least one"},
      {kChat, user(R"("guided_json": {"type": 5})"), 400, "guided_json", "'type'"},
      {kChat, user(R"("guided_regex": "a", "guided_grammar": "root ::= x")"), 400, "guided_grammar",
       "together"},
      {kChat, user(R"("guided_regex": "a", "ignore_eos": true)"), 400, "ignore_eos", "ends"},
      {kChat, user(R"("modalities": ["text", "audio"])"), 400, "modalities", "or be [\"text\"]"},
      {kChat, user(R"("audio": {"voice": "alloy", "format": "wav"})"), 400, "audio", "not supported"},
      {kChat, user(R"("prediction": {"type": "content", "content": "a"})"), 400, "prediction",
       "not supported"},
      {kChat, user(R"("web_search_options": {})"), 400, "web_search_options", "searches nothing"},
      {kChat, user(R"("moderation": {"model": "x"})"), 400, "moderation", "not supported"},
      {kChat, user(R"("store": 1)"), 400, "store", "true or false"},
      {kChat, user(R"("metadata": [])"), 400, "metadata", "must be an object"},
      {kChat, user(R"("service_tier": "gold")"), 400, "service_tier", "must be one of auto, default"},
      {kChat, user(R"("verbosity": "high ")"), 400, "verbosity", "must be one of low, medium, high"},
      {kChat, user(R"("reasoning_effort": 1)"), 400, "reasoning_effort", "must be a string"},
      {kChat, user(R"("reasoning_effort": "most")"), 400, "reasoning_effort", "must be one of none"},
      {kChat, user(R"("safety_identifier": {})"), 400, "safety_identifier", "must be a string"},
      {kChat, user(R"("prompt_cache_key": 1)"), 400, "prompt_cache_key", "must be a string"},
      {kChat, user(R"("prompt_cache_retention": "1h")"), 400, "prompt_cache_retention",
       "one of in_memory, 24h"},
      {kChat, user(R"("prompt_cache_options": "x")"), 400, "prompt_cache_options", "must be an object"},
      {kChat, user(R"("parallel_tool_calls": "x")"), 400, "parallel_tool_calls", "true or false"},
      {kChat, user(R"("chat_template_kwargs": [])"), 400, "chat_template_kwargs", "must be an object"},
      {kChat, user(R"("chat_template_kwargs": {"messages": 1})"), 400, "chat_template_kwargs",
       "cannot set 'messages'"},
      {kChat, user(R"("continue_final_message": 1)"), 400, "continue_final_message", "true or false"},
      {kChat, user(R"("continue_final_message": true, "add_generation_prompt": true)"), 400,
       "continue_final_message", "cannot both be true"},
      {kChat, chat(R"([{"role": "user", "content": " "}])", R"("continue_final_message": true)"), 400,
       "continue_final_message", "cannot be continued"},
      {kChat, user(R"("chat_template": "{{ x }}")"), 400, "chat_template", "unknown field"},
  };
  for (const auto& bad : bad_sampling_fields()) {
    rows.push_back({kChat, user(bad.field), 400, bad.param, bad.message});
  }
  return rows;
}

std::vector<BadRequest> bad_tokenizations() {
  return {
      {kTokenize, "{}", 400, "prompt", "prompt or messages is required"},
      {kTokenize, R"({"prompt": 1})", 400, "prompt", "must be a string"},
      {kTokenize, R"({"prompt": ["a"]})", 400, "prompt", "must be a string"},
      {kTokenize, R"({"prompt": "a", "messages": [{"role": "user", "content": "a"}]})", 400, "messages",
       "both"},
      {kTokenize, R"({"messages": []})", 400, "messages", "must not be empty"},
      {kTokenize, R"({"messages": [{"role": "user", "content": "a"}], "parse_special": true})", 400,
       "parse_special", "goes with a prompt"},
      {kTokenize, R"({"prompt": "a", "parse_special": 1})", 400, "parse_special", "true or false"},
      {kTokenize, R"({"prompt": "a", "add_special_tokens": 1})", 400, "add_special_tokens",
       "true or false"},
      {kTokenize, R"({"prompt": "a", "return_token_strs": "x"})", 400, "return_token_strs",
       "true or false"},
      {kTokenize, R"({"prompt": "a", "model": "x"})", 404, "model", "not served"},
      {kTokenize, R"({"prompt": "a", "promt": "b"})", 400, "promt", "did you mean 'prompt'?"},
      {kTokenize, R"({"prompt": "\ud800"})", 400, "", "surrogate"},
      {kDetokenize, "{}", 400, "tokens", "tokens is required"},
      {kDetokenize, R"({"tokens": "a"})", 400, "tokens", "must be an array"},
      {kDetokenize, R"({"tokens": ["a"]})", 400, "tokens", "integer"},
      {kDetokenize, R"({"tokens": [1.0]})", 400, "tokens", "integer"},
      {kDetokenize, R"({"tokens": [true]})", 400, "tokens", "integer"},
      {kDetokenize, R"({"tokens": [258]})", 400, "tokens", "258"},
      {kDetokenize, R"({"tokens": [-1]})", 400, "tokens", "-1"},
      {kDetokenize, R"({"tokens": [1], "model": "x"})", 404, "model", "not served"},
      {kDetokenize, R"({"token": [1]})", 400, "token", "did you mean 'tokens'?"},
  };
}

}  // namespace

std::span<const BadRequest> bad_requests() {
  static const std::vector<BadRequest> kRows = [] {
    std::vector<BadRequest> rows = bad_completions();
    for (auto& row : bad_chats()) rows.push_back(std::move(row));
    for (auto& row : bad_tokenizations()) rows.push_back(std::move(row));
    return rows;
  }();
  return kRows;
}

}  // namespace quire
