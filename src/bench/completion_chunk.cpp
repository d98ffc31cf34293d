#include "bench/completion_chunk.h"

#include <simdjson.h>

namespace quire {
namespace {

using simdjson::dom::element;

std::string message_of(const element& error) {
  std::string_view text;
  if (error["message"].get(text) == simdjson::SUCCESS || error.get(text) == simdjson::SUCCESS) {
    return std::string(text);
  }
  return simdjson::minify(error);
}

std::optional<int64_t> integer_at(const element& object, std::string_view key) {
  int64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

Expected<CompletionChunk> parse_completion_chunk(std::string_view data) {
  CompletionChunk chunk;
  if (data == "[DONE]") {
    chunk.done = true;
    return chunk;
  }
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(data.data(), data.size()).get(root) != simdjson::SUCCESS) {
    return fail(ErrorCode::kCorrupt, "a chunk of the stream is not JSON: {}", data.substr(0, 200));
  }
  element error;
  if (root["error"].get(error) == simdjson::SUCCESS && !error.is_null()) {
    return fail(ErrorCode::kInternal, "the server broke off: {}", message_of(error));
  }
  element choice;
  if (root["choices"].at(0).get(choice) == simdjson::SUCCESS) {
    chunk.has_choice = true;
    std::string_view text, finish_reason;
    const bool has_text = choice["text"].get(text) == simdjson::SUCCESS && !text.empty();
    chunk.has_token = has_text || choice["finish_reason"].get(finish_reason) != simdjson::SUCCESS;
  }
  element usage;
  if (root["usage"].get(usage) == simdjson::SUCCESS) {
    chunk.prompt_tokens = integer_at(usage, "prompt_tokens");
    chunk.completion_tokens = integer_at(usage, "completion_tokens");
  }
  return chunk;
}

std::string error_message(std::string_view body) {
  simdjson::dom::parser parser;
  element error;
  if (parser.parse(body.data(), body.size())["error"].get(error) == simdjson::SUCCESS)
    return message_of(error);
  return std::string(body.substr(0, 200));
}

Expected<std::string> first_model_id(std::string_view body) {
  simdjson::dom::parser parser;
  std::string_view id;
  if (parser.parse(body.data(), body.size())["data"].at(0)["id"].get(id) != simdjson::SUCCESS) {
    return fail(ErrorCode::kCorrupt, "/v1/models names no model: {}", body.substr(0, 200));
  }
  return std::string(id);
}

}  // namespace quire
