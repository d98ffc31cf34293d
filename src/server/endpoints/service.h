// What is not about a prompt: whether the server lives and is ready, its metrics, views of the engine, the
// page.
#pragma once

#include "server/endpoint.h"

namespace quire {

ApiReply get_live(const ApiState& api, const RequestHead& head, std::string_view body);
// 503 while the model is being loaded and once the server drains.
ApiReply get_ready(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_version(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_openapi(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_metrics(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply stream_engine_events(const ApiState& api, const RequestHead& head, std::string_view body);
ApiReply get_page(const ApiState& api, const RequestHead& head, std::string_view body);

}  // namespace quire
