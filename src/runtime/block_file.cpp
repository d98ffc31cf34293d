#include "runtime/block_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "runtime/thread_block_file.h"
#include "runtime/uring_block_file.h"

namespace quire {
namespace {

Expected<OwnedFd> create_unnamed(const std::string& dir) {
  int fd = open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  // Some file systems know no files without a name: there it has one for a moment.
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string path = dir + "/quire-swap-XXXXXX";
    fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd >= 0) unlink(path.c_str());
  }
  if (fd >= 0) return OwnedFd(fd);
  return fail_param(
      "swap_dir",
      "no swap file can be made in '{}': {}; name a folder to write to, or leave --swap-dir out", dir,
      std::generic_category().message(errno));
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

OwnedFd::OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Expected<std::unique_ptr<BlockFile>> create_block_file(const std::string& dir, int32_t depth,
                                                       FileAccess access) {
  auto fd = create_unnamed(dir);
  if (!fd) return std::unexpected(fd.error());
  if (access == FileAccess::kAuto) {
    if (auto file = UringBlockFile::create(*fd, depth)) return file;
  }
  return std::make_unique<ThreadBlockFile>(std::move(*fd), depth);
}

}  // namespace quire
