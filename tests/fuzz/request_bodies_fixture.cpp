// A request's body, read as each endpoint reads it.
#include "base/check.h"
#include "server/requests/chat_request.h"
#include "server/requests/completion_request.h"
#include "server/requests/embedding_request.h"
#include "server/requests/message_request.h"
#include "server/requests/prefix_request.h"
#include "server/requests/responses_request.h"
#include "server/requests/tokenize_request.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {
namespace {

template <class Request>
void read_as(const JsonFields& body, Expected<Request> (*read)(const JsonFields&)) {
  const auto request = read(body);
  CHECK(request || !request.error().message.empty());
  // What a client wrote is quoted in excerpts.
  CHECK(request || request.error().message.size() < 2000, "a message of {} bytes",
        request.error().message.size());
}

// Every item that is referred to is known.
Expected<ResponsesRequest> read_response(const JsonFields& body) {
  return read_responses_request(body, [](std::string_view) {
    return std::optional<std::string>(R"({"type": "message", "role": "user", "content": "a"})");
  });
}

}  // namespace

void fuzz_request_bodies(std::string_view input) {
  const auto document = JsonDocument::parse(input);
  if (!document) {
    CHECK(!document.error().message.empty());
    return;
  }
  for (const bool ignore_unknown : {false, true}) {
    const JsonFields body = {document->root(), ignore_unknown};
    read_as(body, read_completion_request);
    read_as(body, read_chat_request);
    read_as(body, read_response);
    read_as(body, read_message_request);
    read_as(body, read_count_tokens_request);
    read_as(body, read_embedding_request);
    read_as(body, read_tokenize_request);
    read_as(body, read_detokenize_request);
    read_as(body, read_prefix_request);
    read_as(body, read_prefix_line);
  }
}

std::vector<std::string> request_body_seeds() {
  return {
      R"({"prompt": "a", "max_tokens": 5, "temperature": 0.5, "stop": ["x", "y"], )"
      R"("logit_bias": {"5": -100}})",
      R"({"prompt": [[1, 2], [3]], "n": 2, "best_of": 4, "echo": true, "logprobs": 3, )"
      R"("seed": 18446744073709551615})",
      R"({"prompt": ["a", "b"], "use_beam_search": true, "early_stopping": "never", )"
      R"("length_penalty": -1.5e0})",
      R"({"input": [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "a"}]})",
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text",)"
      R"( "text": "\ud83d\ude00"}]}], "logprobs": true, "top_logprobs": 5, "stream": true,)"
      R"( "stream_options": {"include_usage": true}})",
      R"({"messages": [{"role": "assistant", "content": null, "reasoning_content": "r", )"
      R"("tool_calls": [{"id": "c",)"
      R"( "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1]}"}}]}, {"role": "tool",)"
      R"( "tool_call_id": "c", "content": "1"}], "tools": [{"type": "function", "function": {"name": "f",)"
      R"( "description": "d", "parameters": {"type": "object"}, "strict": false}}], "tool_choice": "auto",)"
      R"( "parallel_tool_calls": false, "max_completion_tokens": 9})",
      R"({"tokens": [1, 2, 3], "model": "m"})",
      R"({"prompt": "a", "add_special_tokens": false, "parse_special": true, "return_token_strs": true})",
      R"({"prompt": [1, 2], "cache_salt": "s", "key": 2})",
      R"({"prompt": "a", "guided_choice": ["x"], "response_format": {"type": "json_schema", "json_schema": )"
      R"({"name": "n", "schema": {"type": "object"}, "strict": true}},)"
      R"( "structured_outputs": {"json": "{}"}})",
      R"({"input": ["a", "b"], "dimensions": 2, "encoding_format": "base64", "user": "u"})",
      R"({"max_tokens": 5, "system": [{"type": "text", "text": "s"}], "messages": [{"role": "user",)"
      R"( "content": )"
      R"([{"type": "tool_result", "tool_use_id": "t", "content": "r"}]}, {"role": "assistant", "content": )"
      R"([{"type": "thinking", "thinking": "h", "signature": ""}, {"type": "tool_use", "id": "t",)"
      R"( "name": "f", )"
      R"("input": {"x": 1}}]}], "tools": [{"name": "f", "input_schema": {"type": "object"}}],)"
      R"( "tool_choice": )"
      R"({"type": "tool", "name": "f"}, "stop_sequences": ["x"]})",
      R"({"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}, {"type": )"
      R"("function_call", "call_id": "c", "name": "f", "arguments": "{}"},)"
      R"( {"type": "function_call_output", )"
      R"("call_id": "c", "output": "1"}, {"type": "reasoning", "summary": []}], "instructions": "i",)"
      R"( "text": )"
      R"({"format": {"type": "json_schema", "name": "n", "schema": {}}}, "store": false,)"
      R"( "max_output_tokens": 3,)"
      R"( "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": true}]})",
  };
}

}  // namespace quire
