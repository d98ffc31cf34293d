// BlockFile by pread and pwrite on a thread of its own, for systems that refuse io_uring.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/block_file.h"

namespace quire {

class ThreadBlockFile final : public BlockFile {
 public:
  ThreadBlockFile(OwnedFd fd, int32_t depth);
  ~ThreadBlockFile() override;

  void write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) override;
  void read(int32_t tag, int64_t offset, std::span<std::byte> bytes) override;
  void poll(std::vector<Done>& done, int64_t timeout_ns) override;
  const char* name() const override { return "pread and pwrite"; }

 private:
  struct Transfer {
    int32_t tag = 0;
    int64_t offset = 0;
    std::byte* target = nullptr;        // of a read
    const std::byte* source = nullptr;  // of a write
    size_t num_bytes = 0;
  };

  void begin(const Transfer& transfer);
  void work();
  int run(const Transfer& transfer) const;

  const OwnedFd fd_;
  std::mutex mutex_;
  std::condition_variable begun_, ended_;
  std::deque<Transfer> waiting_;  // as many as the depth at most, the caller's promise
  std::vector<Done> done_;
  int32_t num_under_way_ = 0;  // waiting, in work, or done and not yet polled
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace quire
