// The two files of a batch run. The output is appended to by whole lines, so that a run that was killed goes
// on where it stopped: the line that it was writing is cut off, and whatever has an answer is not asked
// again. Memory: 24 bytes a line, at most kMaxBatchLines lines, beside one line at a time. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/batch/batch_line.h"
#include "server/batch/line_reader.h"

namespace quire {

inline constexpr int64_t kMaxBatchLines = 4 << 20;

// A descriptor that is closed with its owner.
class OwnedFile {
 public:
  OwnedFile() = default;
  explicit OwnedFile(int descriptor) : descriptor_(descriptor) {}
  OwnedFile(OwnedFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OwnedFile& operator=(OwnedFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~OwnedFile();

  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

class BatchInput {
 public:
  // Reads all of the file once. Errors: it cannot be read, is no regular file, has too many lines, or two
  // lines with one custom_id. A line of more than `max_line_bytes` is one that is no request.
  static Expected<BatchInput> open(const std::string& path, size_t max_line_bytes);

  int64_t num_lines() const { return num_lines_; }  // that are not blank
  const std::string& path() const { return path_; }

  struct Line {
    int64_t number = 0;
    BatchRequest request;
  };
  // The next line that is not blank; none at the end.
  Expected<std::optional<Line>> next();

 private:
  BatchInput(std::string path, OwnedFile file, size_t max_line_bytes);
  Expected<> scan();
  Expected<> rewind();

  std::string path_;
  OwnedFile file_;
  size_t max_line_bytes_;
  LineReader reader_;
  int64_t num_lines_ = 0;
};

class BatchOutput {
 public:
  // "-" is standard output, which has no answers yet. Another file is made if it is not there, and locked
  // until the output goes. Errors: it cannot be written, another run has it, it is `input` itself, or a line
  // of it is no answer, whole or torn: then it stays as it was.
  static Expected<BatchOutput> open(const std::string& path, const BatchInput& input);

  bool has(const BatchKey& key) const;

  // Writes one line, with its line break.
  Expected<> append(std::string_view line);
  // Brings what was appended to the disk.
  Expected<> sync();

 private:
  BatchOutput(std::string path, OwnedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  Expected<> read_answers();

  std::string path_;
  OwnedFile file_;
  std::vector<BatchKey> answered_;  // sorted
};

}  // namespace quire
