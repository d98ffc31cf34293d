// OpenAI's Responses API. What is stored is its tenant's alone.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply create_response(const ApiState& api, const RequestHead& head, std::string_view body);
// /v1/responses/{id}, and /v1/responses/{id}/input_items
ApiReply get_response(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply delete_response(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
