// The log's line for a request that was answered or given up: never a prompt, a completion or a key.
#pragma once

#include <cstdint>
#include <string_view>

namespace quire {

struct RequestRecord {
  std::string_view peer;    // "address:port"
  std::string_view method;  // this and the target as the client sent them
  std::string_view target;
  std::string_view request_id;  // empty where there was no answer to name it in
  int status = 0;
  int64_t elapsed_ns = 0;
  std::string_view note;  // how much it was, or how it ended; may be empty
};

// Any thread.
void log_request(const RequestRecord& record);

}  // namespace quire
