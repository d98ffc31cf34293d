#include "bench/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace quire {
namespace {

constexpr int kWidth = 40;
constexpr double kLineGapS = 10;

void write_to_stderr(std::string_view text) {
  fmt::print(stderr, "{}", text);
  std::fflush(stderr);
}

}  // namespace

ProgressBar::ProgressBar(Elsewhere elsewhere)
    : ProgressBar(isatty(STDERR_FILENO) == 1, elsewhere, write_to_stderr) {}

ProgressBar::~ProgressBar() {
  if (drawn_percent_ >= 0) write_("\r\x1b[K");
}

void ProgressBar::show(size_t finished, size_t total, double elapsed_s) {
  if (total == 0) return;
  if (on_terminal_) return draw(finished, total, elapsed_s);
  if (elsewhere_ == Elsewhere::kSilent || finished == total || elapsed_s < said_s_ + kLineGapS) return;
  said_s_ = elapsed_s;
  write_(fmt::format("{} of {} done ({}%) after {:.0f} s\n", finished, total, finished * 100 / total,
                     elapsed_s));
}

void ProgressBar::draw(size_t finished, size_t total, double elapsed_s) {
  const int percent = static_cast<int>(finished * 100 / total);
  const auto second = static_cast<int64_t>(elapsed_s);
  if (percent == drawn_percent_ && second == drawn_second_) return;
  drawn_percent_ = percent;
  drawn_second_ = second;
  const int filled = percent * kWidth / 100;
  write_(fmt::format("\r[{:#<{}}{:-<{}}] {}/{}, {} s ", "", filled, "", kWidth - filled, finished, total,
                     second));
}

}  // namespace quire
