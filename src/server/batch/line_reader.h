// Lines of a file, one after the other, in bounded memory: of a line that is too long only its length is
// known. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire {

class LineReader {
 public:
  struct Line {
    int64_t number = 0;  // from 1 on
    int64_t offset = 0;  // of its first byte in the file
    std::string_view text =
        {};  // without the line break; valid until the next call; empty if it is too long
    bool too_long = false;
    bool ended = false;  // by a line break; else the file ends within it
  };

  // Reads `file`, an open descriptor that outlives the reader, from where it stands, which counts as offset
  // 0.
  LineReader(int file, size_t max_line_bytes) : file_(file), max_line_bytes_(max_line_bytes) {}

  // The next line; none at the end of the file. kIo: the file cannot be read.
  Expected<std::optional<Line>> next();

 private:
  Expected<bool> fill();  // false at the end of the file

  int file_;
  size_t max_line_bytes_;
  std::string buffer_;  // what was read and not yet given out, from begin_ on
  size_t begin_ = 0;
  int64_t number_ = 0;
  int64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace quire
