#include "bench/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace quire {
namespace {

constexpr int kWidth = 40;

}  // namespace

ProgressBar::ProgressBar() : visible_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (visible_ && drawn_percent_ >= 0) fmt::print(stderr, "\r\x1b[K");
}

void ProgressBar::show(size_t finished, size_t total, double elapsed_s) {
  if (!visible_ || total == 0) return;
  const int percent = static_cast<int>(finished * 100 / total);
  if (percent == drawn_percent_) return;
  drawn_percent_ = percent;
  const int filled = percent * kWidth / 100;
  fmt::print(stderr, "\r[{:#<{}}{:-<{}}] {}/{}, {:.0f} s ", "", filled, "", kWidth - filled, finished,
             total, elapsed_s);
  std::fflush(stderr);
}

}  // namespace quire
