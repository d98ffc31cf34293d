// The body of POST /v1/prefixes, and of a line of --prefix-file: a prompt or messages, whose tokens are to
// stay in the prefix cache.
#pragma once

#include <optional>
#include <vector>

#include "server/requests/chat_request.h"
#include "server/requests/completion_request.h"

namespace quire {

struct PrefixRequest : GenerationRequest {
  std::optional<CompletionRequest::Prompt> prompt;  // this, or messages
  std::vector<ChatMessage> messages;
  std::vector<Tool> tools;         // beside messages
  bool add_special_tokens = true;  // as CompletionRequest's
  std::optional<TenantId> key;     // of a line: for whom, by the number of the API key; none: for every one
};

// The table of its fields, but a line's key. `request` outlives it.
std::vector<FieldRule> prefix_rules(PrefixRequest& request);

// Errors name the field.
Expected<PrefixRequest> read_prefix_request(const JsonFields& body);
Expected<PrefixRequest> read_prefix_line(const JsonFields& body);

}  // namespace quire
