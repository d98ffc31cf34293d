#include "server/batch/line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quire {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

}  // namespace

Expected<bool> LineReader::fill() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t held = buffer_.size();
  buffer_.resize(held + kPieceBytes);
  ssize_t bytes = 0;
  do {
    bytes = ::read(file_, buffer_.data() + held, kPieceBytes);
  } while (bytes < 0 && errno == EINTR);
  buffer_.resize(held + (bytes > 0 ? static_cast<size_t>(bytes) : 0));
  if (bytes < 0) return fail(ErrorCode::kIo, "reading failed: {}", std::strerror(errno));
  at_end_ = bytes == 0;
  return !at_end_;
}

Expected<std::optional<LineReader::Line>> LineReader::next() {
  Line line{.number = ++number_, .offset = offset_};
  for (size_t searched = 0;;) {
    const size_t end = buffer_.find('\n', begin_ + searched);
    if (end != std::string::npos) {
      line.ended = true;
      line.text = std::string_view(buffer_).substr(begin_, end - begin_);
      offset_ += static_cast<int64_t>(line.text.size()) + 1;
      begin_ = end + 1;
      break;
    }
    searched = buffer_.size() - begin_;
    if (searched > max_line_bytes_) {  // drop what is there, and go on to its end
      line.too_long = true;
      offset_ += static_cast<int64_t>(searched);
      begin_ = buffer_.size();
      searched = 0;
    }
    const auto more = fill();
    if (!more) return std::unexpected(more.error());
    if (*more) continue;
    line.text = std::string_view(buffer_).substr(begin_);
    offset_ += static_cast<int64_t>(line.text.size());
    begin_ = buffer_.size();
    if (line.text.empty() && !line.too_long) return std::nullopt;
    break;
  }
  line.too_long = line.too_long || line.text.size() > max_line_bytes_;
  if (line.too_long) line.text = {};
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return line;
}

}  // namespace quire
