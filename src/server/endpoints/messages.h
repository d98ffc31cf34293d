// Anthropic's Messages API.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply create_message(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply count_message_tokens(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
