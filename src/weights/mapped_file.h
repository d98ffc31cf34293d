// A file mapped read-only into memory. Owns the mapping; moving it keeps the addresses. Const members may
// be called from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.h"

namespace quire {

class MappedFile {
 public:
  // A regular file with at least one byte. kNotFound, kInvalidArgument (a directory, a device), kCorrupt
  // (empty) or kIo otherwise. The file must not be cut short while it is mapped: the system answers reads
  // past its end with SIGBUS.
  static Expected<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

  // Says that `part` of bytes() will not be read soon: its whole pages no longer count as this process's
  // memory, and are read from the file again if they are touched after all.
  void release(std::span<const std::byte> part) const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;  // page-aligned
};

}  // namespace quire
