// The body of OpenAI's POST /v1/responses, read into what a chat completion has and what its answer repeats.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/requests/chat_request.h"
#include "server/requests/responses_items.h"

namespace quire {

// Fields that the answer shows as they were asked for; JSON where they are no plain values.
struct ResponsesEcho {
  std::optional<std::string> instructions;
  std::optional<std::string> previous_response_id;
  std::optional<std::string> user;
  std::string metadata = "{}";
  std::string reasoning = R"({"effort":null,"summary":null})";
  std::string text = R"({"format":{"type":"text"}})";
  std::string tools = "[]";
  std::string tool_choice = R"("auto")";
};

// Its messages are those of `input`: what goes before them, instructions included, is the endpoint's to add.
struct ResponsesRequest : ChatRequest {
  ResponsesEcho echo;
  std::vector<std::string> input_items;  // JSON as it was written, references resolved
  bool store = true;
  bool background = false;
  bool drops_oldest = false;  // of the conversation, where it is too long
  FindItem find_item = [](std::string_view) { return std::optional<std::string>(); };
};

// The table of its fields. `request` outlives it.
std::vector<FieldRule> responses_rules(ResponsesRequest& request);

// Errors name the field.
Expected<ResponsesRequest> read_responses_request(const JsonFields& fields, FindItem find_item);

}  // namespace quire
