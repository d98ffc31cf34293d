#include "runtime/uring_block_file.h"

#include <cerrno>
#include <utility>

#include "base/check.h"

namespace quire {
namespace {

bool can_transfer(io_uring& ring) {
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  if (probe == nullptr) return false;
  const bool can = io_uring_opcode_supported(probe, IORING_OP_READ) != 0 &&
                   io_uring_opcode_supported(probe, IORING_OP_WRITE) != 0;
  io_uring_free_probe(probe);
  return can;
}

}  // namespace

std::unique_ptr<BlockFile> UringBlockFile::create(OwnedFd& fd, int32_t depth) {
  io_uring ring;
  if (io_uring_queue_init(static_cast<unsigned>(depth), &ring, 0) < 0) return nullptr;
  if (!can_transfer(ring)) {
    io_uring_queue_exit(&ring);
    return nullptr;
  }
  return std::unique_ptr<BlockFile>(new UringBlockFile(std::move(fd), depth, ring));
}

UringBlockFile::UringBlockFile(OwnedFd fd, int32_t depth, const io_uring& ring)
    : fd_(std::move(fd)), ring_(ring), transfers_(static_cast<size_t>(depth)) {
  done_.reserve(transfers_.size());
}

UringBlockFile::~UringBlockFile() {
  std::vector<Done> done;
  while (num_under_way_ > 0) poll(done, int64_t{1'000'000'000});
  io_uring_queue_exit(&ring_);
}

void UringBlockFile::write(int32_t tag, int64_t offset, std::span<const std::byte> bytes) {
  begin(tag, {.offset = offset, .source = bytes.data(), .num_bytes = bytes.size()});
}

void UringBlockFile::read(int32_t tag, int64_t offset, std::span<std::byte> bytes) {
  begin(tag, {.offset = offset, .target = bytes.data(), .num_bytes = bytes.size()});
}

void UringBlockFile::begin(int32_t tag, const Transfer& transfer) {
  transfers_[static_cast<size_t>(tag)] = transfer;
  ++num_under_way_;
  go_on(tag);
}

void UringBlockFile::go_on(int32_t tag) {
  const Transfer& transfer = transfers_[static_cast<size_t>(tag)];
  const auto offset = static_cast<uint64_t>(transfer.offset) + transfer.num_done;
  const auto rest = static_cast<unsigned>(transfer.num_bytes - transfer.num_done);
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  CHECK(entry != nullptr, "more transfers than tags");
  if (transfer.target != nullptr) {
    io_uring_prep_read(entry, fd_.get(), transfer.target + transfer.num_done, rest, offset);
  } else {
    io_uring_prep_write(entry, fd_.get(), transfer.source + transfer.num_done, rest, offset);
  }
  io_uring_sqe_set_data64(entry, static_cast<uint64_t>(tag));
  io_uring_submit(&ring_);  // one that finds the kernel full goes with the next poll
}

void UringBlockFile::take(const io_uring_cqe& completion) {
  const auto tag = static_cast<int32_t>(io_uring_cqe_get_data64(&completion));
  Transfer& transfer = transfers_[static_cast<size_t>(tag)];
  const int result = completion.res;
  if (result > 0) transfer.num_done += static_cast<size_t>(result);
  const bool all = transfer.num_done >= transfer.num_bytes;
  if ((result > 0 && !all) || result == -EINTR || result == -EAGAIN) {
    go_on(tag);
    return;
  }
  done_.push_back({tag, all ? 0 : result < 0 ? -result : kShort});
}

void UringBlockFile::poll(std::vector<Done>& done, int64_t timeout_ns) {
  if (num_under_way_ == 0) return;
  io_uring_submit(&ring_);
  io_uring_cqe* completion = nullptr;
  bool waited = timeout_ns <= 0;
  for (;;) {
    while (io_uring_peek_cqe(&ring_, &completion) == 0) {
      const io_uring_cqe taken = *completion;
      io_uring_cqe_seen(&ring_, completion);
      take(taken);
    }
    if (!done_.empty() || std::exchange(waited, true)) break;
    __kernel_timespec timeout{.tv_sec = timeout_ns / 1'000'000'000, .tv_nsec = timeout_ns % 1'000'000'000};
    io_uring_wait_cqe_timeout(&ring_, &completion, &timeout);
  }
  num_under_way_ -= static_cast<int32_t>(done_.size());
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

}  // namespace quire
