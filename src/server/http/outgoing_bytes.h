// Bytes on their way to a client: a small piece first, then maybe a body of any size, which is not copied.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace quire {

class OutgoingBytes {
 public:
  OutgoingBytes() = default;
  explicit OutgoingBytes(std::string first, std::string body = {}) : bytes_(std::move(first)) {
    if (body.size() <= kCopied) {
      bytes_ += body;
    } else {
      body_ = std::move(body);
    }
  }

  // What is to be written next; empty when all of it is.
  std::string_view next() const { return std::string_view(bytes_).substr(written_); }
  size_t size() const { return bytes_.size() - written_ + body_.size(); }
  void wrote(size_t count) {
    written_ += count;
    if (written_ < bytes_.size() || body_.empty()) return;
    bytes_ = std::exchange(body_, {});
    written_ = 0;
  }
  // What was written, for whoever frees it.
  std::string take_written() && { return std::move(bytes_); }

 private:
  static constexpr size_t kCopied = 64 << 10;  // rather than written apart

  std::string bytes_;
  size_t written_ = 0;
  std::string body_;
};

}  // namespace quire
