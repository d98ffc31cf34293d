// What is served, by its names.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply list_models(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_model(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
