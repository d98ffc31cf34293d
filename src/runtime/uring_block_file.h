// BlockFile by io_uring: no thread of ours, and many transfers at once for disks that like that.
#pragma once

#include <liburing.h>

#include <memory>
#include <vector>

#include "runtime/block_file.h"

namespace quire {

class UringBlockFile final : public BlockFile {
 public:
  // Null, and `fd` left as it was, if the system refuses io_uring, as many containers do.
  static std::unique_ptr<BlockFile> create(OwnedFd& fd, int32_t depth);
  ~UringBlockFile() override;

  void write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) override;
  void read(int32_t tag, int64_t offset, std::span<std::byte> bytes) override;
  void poll(std::vector<Done>& done, int64_t timeout_ns) override;
  const char* name() const override { return "io_uring"; }

 private:
  struct Transfer {
    int64_t offset = 0;
    std::byte* target = nullptr;        // of a read
    const std::byte* source = nullptr;  // of a write
    size_t num_bytes = 0;
    size_t num_done = 0;
  };

  UringBlockFile(OwnedFd fd, int32_t depth, const io_uring& ring);
  void begin(int32_t tag, const Transfer& transfer);
  // Asks for what is left of it.
  void go_on(int32_t tag);
  void take(const io_uring_cqe& completion);

  const OwnedFd fd_;
  io_uring ring_;
  std::vector<Transfer> transfers_;  // by tag
  std::vector<Done> done_;
  int32_t num_under_way_ = 0;
};

}  // namespace quire
