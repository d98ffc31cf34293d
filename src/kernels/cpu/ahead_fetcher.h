// How linears deal out what they fetch for a later operation. Everything here has internal linkage.
#pragma once

#include "kernels/kernel_args.h"

namespace quire {
namespace {

[[maybe_unused]] constexpr int64_t kCacheLine = 64;

// Lines that a tile of computation fetches on the way, kAheadLines after each block of its depth, from `at`
// on. Where nothing is to be fetched the stride is 0 and the lines are those of the first-level cache.
[[maybe_unused]] constexpr int64_t kAheadLines = 2;
struct AheadLines {
  const std::byte* at;
  int64_t stride;
};

// Deals out context.ahead to a linear's tiles, in step with the work that they do. One line at a time: a
// burst fills the core's miss buffers, and what is computed next waits for the memory with them.
class AheadFetcher {
 public:
  // `work`: of the whole call.
  AheadFetcher(const FetchAhead* ahead, int64_t work) {
    if (ahead == nullptr || ahead->begin >= ahead->end || work <= 0) return;
    ahead_ = *ahead;
    left_ = ahead->end - ahead->begin;
    due_of_work_ = left_ * kLine / work + 1;
    block_ = ahead->begin / ahead->block_lines;
    line_ = ahead->begin % ahead->block_lines;
  }

  // For a tile `depth` blocks deep that does `work`.
  AheadLines next(int64_t work, int64_t depth, const std::byte* idle) {
    due_ += work * due_of_work_;
    const int64_t most = kAheadLines * depth;
    if (left_ <= 0 || due_ < most * kLine / 2) return {idle, 0};
    const std::byte* block = ahead_.base + ahead_.blocks[block_] * ahead_.block_stride_bytes;
    const std::byte* at = block + line_ * kCacheLine;
    const int64_t in_block = ahead_.block_lines - line_;
    const int64_t lines = most < in_block ? most : in_block;
    line_ += lines;
    if (line_ == ahead_.block_lines) ++block_, line_ = 0;
    left_ -= lines;
    due_ -= lines * kLine;
    return {at, kAheadLines * kCacheLine};
  }

 private:
  static constexpr int64_t kLine = 1 << 24;
  FetchAhead ahead_ = {};
  int64_t left_ = 0;         // lines
  int64_t due_of_work_ = 0;  // in units of 1 / kLine
  int64_t due_ = 0;
  int64_t block_ = 0;
  int64_t line_ = 0;  // of the block
};

}  // namespace
}  // namespace quire
