#include "runtime/thread_block_file.h"
#include "base/thread_name.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace quire {

ThreadBlockFile::ThreadBlockFile(OwnedFd fd, int32_t depth)
    : fd_(std::move(fd)), thread_([this] { work(); }) {
  done_.reserve(static_cast<size_t>(depth));
}

ThreadBlockFile::~ThreadBlockFile() {
  {
    std::lock_guard lock(mutex_);
    waiting_.clear();
    stop_ = true;
  }
  begun_.notify_one();
  thread_.join();
}

void ThreadBlockFile::write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) {
  begin({.tag = tag, .offset = offset, .source = bytes.data(), .num_bytes = bytes.size()});
}

void ThreadBlockFile::read(int32_t tag, int64_t offset, std::span<std::byte> bytes) {
  begin({.tag = tag, .offset = offset, .target = bytes.data(), .num_bytes = bytes.size()});
}

void ThreadBlockFile::begin(const Transfer& transfer) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(transfer);
    ++num_under_way_;
  }
  begun_.notify_one();
}

void ThreadBlockFile::poll(std::vector<Done>& done, int64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  if (num_under_way_ > 0 && timeout_ns > 0) {
    ended_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [this] { return !done_.empty(); });
  }
  num_under_way_ -= static_cast<int32_t>(done_.size());
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

void ThreadBlockFile::work() {
  set_thread_name("quire-swap");
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Transfer transfer = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    const int error = run(transfer);
    lock.lock();
    done_.push_back({transfer.tag, error});
    ended_.notify_one();
  }
}

int ThreadBlockFile::run(const Transfer& transfer) const {
  for (size_t at = 0; at < transfer.num_bytes;) {
    const size_t rest = transfer.num_bytes - at;
    const auto offset = static_cast<off_t>(transfer.offset + static_cast<int64_t>(at));
    const ssize_t count = transfer.target != nullptr
                              ? pread(fd_.get(), transfer.target + at, rest, offset)
                              : pwrite(fd_.get(), transfer.source + at, rest, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return kShort;
    at += static_cast<size_t>(count);
  }
  return 0;
}

}  // namespace quire
