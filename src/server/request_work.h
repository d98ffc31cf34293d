// What is done with a request on a worker's thread, where it may take its time.
#pragma once

#include <string>
#include <string_view>

#include "server/api.h"

namespace quire {

// As Api::handle; where there is not enough memory, the answer is a 503.
Api::Reply handle_request(const Api& api, const RequestHead& head, std::string_view body);

// What a large request took goes back to the system, rather than to the next large request. That takes a
// while, so its answer should be on its way.
void give_back(std::string body);

}  // namespace quire
