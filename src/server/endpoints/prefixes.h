// Prefixes that are pinned in the prefix cache: each tenant sees and unpins its own.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply list_prefixes(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply pin_prefix(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_prefix(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply unpin_prefix(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
