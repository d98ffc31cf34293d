// The name that top -H, debuggers and profilers show for a thread.
#pragma once

namespace quire {

// Names the calling thread: at most 15 characters.
void set_thread_name(const char* name);

}  // namespace quire
