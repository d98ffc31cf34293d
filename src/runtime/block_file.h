// A file of blocks on a disk, read and written while the caller goes on. It has no name that anybody else
// could open, and is gone with the process. One thread calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace quire {

// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept;
  OwnedFd& operator=(OwnedFd&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class BlockFile {
 public:
  static constexpr int kShort = -1;  // the file ended before the block did

  struct Done {
    int32_t tag = 0;
    int error = 0;  // 0: all of it was transferred; an errno, or kShort
  };

  // Waits for all that is under way.
  virtual ~BlockFile() = default;

  // Begin a transfer of all of `bytes`, which stay until it is done. A tag from 0 to depth - 1 names one
  // transfer at a time. Errors come with its Done; the order of transfers is not theirs.
  virtual void write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void read(int32_t tag, int64_t offset, std::span<std::byte> bytes) = 0;

  // Adds the transfers that are done. While there is none and some are under way, waits for `timeout_ns`.
  virtual void poll(std::vector<Done>& done, int64_t timeout_ns) = 0;

  virtual const char* name() const = 0;  // of the way in which it transfers
};

enum class FileAccess : uint8_t {
  kAuto,    // io_uring where the system allows it, else the thread
  kThread,  // pread and pwrite on a thread of its own
};

// Creates an empty file in the folder `dir`. kInvalidArgument with param swap_dir if that cannot be done.
Expected<std::unique_ptr<BlockFile>> create_block_file(const std::string& dir, int32_t depth,
                                                       FileAccess access);

}  // namespace quire
