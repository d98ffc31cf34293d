// OpenAI's Responses API. What is stored is its tenant's alone.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply create_response(const ApiState& api, const RequestHead& head, std::string_view body);
// What its prompt would have.
ApiReply count_response_tokens(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_response(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply list_input_items(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply cancel_response(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply delete_response(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
