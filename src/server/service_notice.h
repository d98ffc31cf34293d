// Tells a service manager how far the process is, by the protocol of sd_notify(3): systemd's Type=notify.
#pragma once

#include <string_view>

namespace quire {

// Sends `state` ("READY=1", "STOPPING=1", several on lines of their own) to the socket that NOTIFY_SOCKET
// names. Without that variable nothing happens; what fails is logged as a warning. Any thread.
void notify_service_manager(std::string_view state);

// Whether one has started the process: NOTIFY_SOCKET is set.
bool has_service_manager();

}  // namespace quire
