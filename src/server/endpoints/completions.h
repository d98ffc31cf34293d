// OpenAI's two endpoints that generate.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply create_completion(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply create_chat_completion(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
