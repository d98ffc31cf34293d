// The bodies of Anthropic's POST /v1/messages and /v1/messages/count_tokens, read into what a chat
// completion has.
#pragma once

#include <string>
#include <vector>

#include "server/requests/chat_request.h"

namespace quire {

struct MessageRequest : ChatRequest {
  std::string system;       // the first message, once all is read
  bool must_think = false;  // an error where the model does not reason
};

// The tables of their fields. `request` outlives them.
std::vector<FieldRule> message_rules(MessageRequest& request);
std::vector<FieldRule> count_tokens_rules(MessageRequest& request);

// Errors name the field, as Anthropic calls it.
Expected<MessageRequest> read_message_request(const JsonFields& fields);
// The fields of the prompt alone.
Expected<MessageRequest> read_count_tokens_request(const JsonFields& fields);

}  // namespace quire
