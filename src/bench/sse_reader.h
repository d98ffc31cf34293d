// Server-sent events (WHATWG HTML, section 9.2) out of a byte stream that may be cut anywhere. Only `data`
// is kept: the OpenAI API uses no other field.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/function_ref.h"

namespace quire {

class SseReader {
 public:
  // An event longer than `max_event_bytes` is an error: a stream without blank lines must not fill the
  // memory.
  explicit SseReader(size_t max_event_bytes = 16 << 20) : max_event_bytes_(max_event_bytes) {}

  // Takes the next bytes and calls `on_data` with the data of each event that they complete (several data
  // lines are joined by newlines; an event without data is skipped). The view is valid during the call.
  // kResourceExhausted past the bound.
  Expected<> feed(std::string_view bytes, FunctionRef<void(std::string_view data)> on_data);

 private:
  void take_line(std::string_view line, FunctionRef<void(std::string_view data)> on_data);

  const size_t max_event_bytes_;
  std::string line_;           // an unfinished line
  bool skip_newline_ = false;  // the last byte was a CR: an LF right after it belongs to it
  std::string data_;
  bool has_data_ = false;
};

}  // namespace quire
