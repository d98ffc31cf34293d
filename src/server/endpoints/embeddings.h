// OpenAI's endpoint for embeddings.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply create_embeddings(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
