#include "server/batch/batch_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace quire {
namespace {

constexpr mode_t kNewFileMode = 0644;

std::unexpected<Error> file_failure(std::string_view what, const std::string& path) {
  return fail(ErrorCode::kIo, "cannot {} '{}': {}", what, path, std::strerror(errno));
}

Expected<struct stat> check_regular(const OwnedFile& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return file_failure("look at", path);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kInvalidArgument, "'{}' is no file", path);
  return status;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

OwnedFile::~OwnedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

BatchInput::BatchInput(std::string path, OwnedFile file, size_t max_line_bytes)
    : path_(std::move(path)),
      file_(std::move(file)),
      max_line_bytes_(max_line_bytes),
      reader_(file_.get(), max_line_bytes) {}

Expected<BatchInput> BatchInput::open(const std::string& path, size_t max_line_bytes) {
  OwnedFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_failure("read", path);
  if (auto regular = check_regular(file, path); !regular) return std::unexpected(regular.error());
  BatchInput input(path, std::move(file), max_line_bytes);
  if (auto scanned = input.scan(); !scanned) return std::unexpected(scanned.error());
  if (auto back = input.rewind(); !back) return std::unexpected(back.error());
  return input;
}

Expected<> BatchInput::scan() {
  struct Seen {
    BatchKey key;
    int64_t number;
    auto operator<=>(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  while (true) {
    const auto line = next();
    if (!line) return std::unexpected(line.error());
    if (!*line) break;
    if (std::ssize(seen) == kMaxBatchLines) {
      return fail(ErrorCode::kInvalidArgument, "'{}' has more than {} lines: split it", path_,
                  kMaxBatchLines);
    }
    seen.push_back({batch_key((*line)->request.custom_id, (*line)->number), (*line)->number});
  }
  num_lines_ = std::ssize(seen);
  std::ranges::sort(seen);
  const auto twice = std::ranges::adjacent_find(seen, {}, &Seen::key);
  if (twice == seen.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              "lines {} and {} of '{}' have the same custom_id: each request needs one of its own",
              twice->number, std::next(twice)->number, path_);
}

Expected<> BatchInput::rewind() {
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) return file_failure("read", path_);
  reader_ = LineReader(file_.get(), max_line_bytes_);
  return {};
}

Expected<std::optional<BatchInput::Line>> BatchInput::next() {
  while (true) {
    auto line = reader_.next();
    if (!line) return fail(ErrorCode::kIo, "'{}': {}", path_, line.error().message);
    if (!*line) return std::nullopt;
    if ((*line)->too_long) {
      Line refused{.number = (*line)->number, .request = {}};
      refused.request.error = Error{ErrorCode::kInvalidArgument,
                                    fmt::format("the line is longer than {} bytes", max_line_bytes_),
                                    {}};
      return refused;
    }
    if (is_blank((*line)->text)) continue;
    return Line{.number = (*line)->number, .request = read_batch_line((*line)->text)};
  }
}

Expected<BatchOutput> BatchOutput::open(const std::string& path, const BatchInput& input) {
  if (path == "-") {
    OwnedFile file(::dup(STDOUT_FILENO));
    if (file.get() < 0) return file_failure("write", path);
    return BatchOutput(path, std::move(file));
  }
  OwnedFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kNewFileMode));
  if (file.get() < 0) return file_failure("write", path);
  const auto status = check_regular(file, path);
  if (!status) return std::unexpected(status.error());
  struct stat from {};
  if (::stat(input.path().c_str(), &from) == 0 && from.st_dev == status->st_dev &&
      from.st_ino == status->st_ino) {
    return fail(ErrorCode::kInvalidArgument, "'{}' cannot be both input and output", path);
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(ErrorCode::kUnavailable, "another run writes '{}'", path);
    return file_failure("lock", path);
  }
  BatchOutput output(path, std::move(file));
  if (auto read = output.read_answers(); !read) return std::unexpected(read.error());
  return output;
}

// Keeps what is whole: a last line without its line break was being written when the run before ended. One
// that no run has begun is somebody's data.
Expected<> BatchOutput::read_answers() {
  const auto no_answer = [this](int64_t number, std::string_view why) {
    return fail(ErrorCode::kCorrupt,
                "line {} of '{}' is no answer of a batch ({}): name another file to write", number, path_,
                why);
  };
  LineReader reader(file_.get(), std::numeric_limits<uint32_t>::max());
  while (true) {
    const auto line = reader.next();
    if (!line) return fail(ErrorCode::kIo, "'{}': {}", path_, line.error().message);
    if (!*line) break;
    if (!(*line)->ended) {
      if ((*line)->too_long || !may_be_torn_answer((*line)->text)) {
        return no_answer((*line)->number, "it does not begin as one");
      }
      if (::ftruncate(file_.get(), (*line)->offset) != 0) return file_failure("write", path_);
      break;
    }
    if (is_blank((*line)->text)) continue;
    const auto key = read_answer_key((*line)->text);
    if (!key) return no_answer((*line)->number, key.error().message);
    answered_.push_back(*key);
  }
  std::ranges::sort(answered_);
  return {};
}

bool BatchOutput::has(const BatchKey& key) const { return std::ranges::binary_search(answered_, key); }

Expected<> BatchOutput::append(std::string_view line) {
  while (!line.empty()) {
    const ssize_t bytes = ::write(file_.get(), line.data(), line.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return file_failure("write", path_);
    line.remove_prefix(static_cast<size_t>(bytes));
  }
  return {};
}

Expected<> BatchOutput::sync() {
  // Pipes and terminals have no disk.
  if (::fdatasync(file_.get()) != 0 && errno != EINVAL && errno != EROFS)
    return file_failure("write", path_);
  return {};
}

}  // namespace quire
