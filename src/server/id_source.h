// Names for requests and answers: no two of them alike, on this server or another.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace quire {

class IdSource {
 public:
  IdSource();

  // 32 hexadecimal digits. Any thread.
  std::string next() const;

 private:
  const uint64_t seed_;
  mutable std::atomic<uint64_t> num_ids_{0};
};

// Whether a client's own name of its request can be sent back and logged as it is: 1 to 128 letters, digits,
// dots, underscores and dashes.
bool is_plain_id(std::string_view id);

}  // namespace quire
