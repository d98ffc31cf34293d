#include "bench/plot_script.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

extern "C" char** environ;

namespace quire {
namespace {

// A file of this name and contents that goes away.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view contents) {
    path_ = (std::filesystem::temp_directory_path() / "quire-plot-XXXXXX").string();
    const int file = mkstemp(path_.data());
    if (file < 0) return;
    written_ = write(file, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size());
    close(file);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool written() const { return written_; }
  std::string& path() { return path_; }

 private:
  std::string path_;
  bool written_ = false;
};

}  // namespace

Expected<> run_plot_script(const char* script, std::string_view json, const std::string& target) {
  TemporaryFile file(json);
  if (!file.written()) return fail(ErrorCode::kIo, "cannot write {}", file.path());
  std::string python = "python3", flag = "-c", code = script, where = target;
  const std::array<char*, 6> arguments{python.data(),      flag.data(),  code.data(),
                                       file.path().data(), where.data(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "python3", nullptr, nullptr, arguments.data(), environ) != 0) {
    return fail(ErrorCode::kUnsupported,
                "figures need python3 with matplotlib: apt-get install python3-matplotlib");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMatplotlib) {
    return fail(
        ErrorCode::kUnsupported,
        "figures need matplotlib for python3: apt-get install python3-matplotlib, or run with a Python "
        "first in PATH that has it");
  }
  return fail(ErrorCode::kIo, "cannot write to {} (python3 says above why)", target);
}

}  // namespace quire
