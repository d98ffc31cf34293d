#include "bench/sse_reader.h"

namespace quire {

Expected<> SseReader::feed(std::string_view bytes, FunctionRef<void(std::string_view data)> on_data) {
  while (!bytes.empty()) {
    if (skip_newline_ && bytes.front() == '\n') bytes.remove_prefix(1);
    skip_newline_ = false;
    const size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (line_.size() + data_.size() > max_event_bytes_) {
      return fail(ErrorCode::kResourceExhausted, "an event of the stream is longer than {} bytes",
                  max_event_bytes_);
    }
    if (end == std::string_view::npos) break;
    skip_newline_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    take_line(line_, on_data);
    line_.clear();
  }
  return {};
}

void SseReader::take_line(std::string_view line, FunctionRef<void(std::string_view data)> on_data) {
  if (line.empty()) {
    if (has_data_) on_data(data_);
    data_.clear();
    has_data_ = false;
    return;
  }
  if (!line.starts_with("data")) return;
  line.remove_prefix(4);
  if (!line.empty() && !line.starts_with(':')) return;  // another field's name
  if (!line.empty()) line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
}

}  // namespace quire
