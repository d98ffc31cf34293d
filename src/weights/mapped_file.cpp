#include "weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

std::unexpected<Error> system_failure(const std::string& path, const char* action, int error) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  const char* advice = code == ErrorCode::kNotFound ? ": is the path right?"
                       : error == EACCES            ? ": this user may not read it"
                                                    : "";
  return fail(code, "cannot {} '{}': {}{}", action, path, std::strerror(error), advice);
}

// Maps the open file; the caller closes `fd`.
Expected<std::span<const std::byte>> map(int fd, const std::string& path) {
  struct stat status;
  if (fstat(fd, &status) != 0) return system_failure(path, "read", errno);
  if (S_ISDIR(status.st_mode))
    return fail(ErrorCode::kInvalidArgument, "'{}' is a directory, not a file: name the model file in it",
                path);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a regular file: name a model file", path);
  if (status.st_size == 0) return fail(ErrorCode::kCorrupt, "'{}' is empty: fetch the file again", path);
  const auto size = static_cast<size_t>(status.st_size);
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address == MAP_FAILED) return system_failure(path, "map", errno);
  return std::span(static_cast<const std::byte*>(address), size);
}

}  // namespace

Expected<MappedFile> MappedFile::open(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer; it has no effect on regular files.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return system_failure(path, "open", errno);
  auto bytes = map(fd, path);
  ::close(fd);
  if (!bytes) return std::unexpected(bytes.error());
  return MappedFile(*bytes);
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (part.empty()) return;
  CHECK(part.data() >= bytes_.data() && part.data() + part.size() <= bytes_.data() + bytes_.size());
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace quire
