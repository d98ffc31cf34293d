#include "cli/load_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/byte_size.h"
#include "base/log.h"

namespace quire {
namespace {

constexpr int kBarWidth = 32;
// Until the first word, and between two.
constexpr int64_t kBarDelayNs = 200'000'000, kBarGapNs = 100'000'000;
constexpr int64_t kLineDelayNs = 2'000'000'000, kLineGapNs = 5'000'000'000;

}  // namespace

void LoadProgress::operator()(int64_t done_bytes, int64_t total_bytes) {
  const int64_t elapsed_ns = clock_.now_ns() - start_ns_;
  const bool whole = done_bytes >= total_bytes;
  if (whole && on_terminal_) return clear_bar();
  if (whole && said_ns_ > 0) {
    write_(fmt::format("loaded {} of weights in {:.1f} s\n", format_byte_size(total_bytes),
                       static_cast<double>(elapsed_ns) * 1e-9));
  }
  const int64_t due_ns = said_ns_ == 0 ? (on_terminal_ ? kBarDelayNs : kLineDelayNs)
                                       : said_ns_ + (on_terminal_ ? kBarGapNs : kLineGapNs);
  if (whole || elapsed_ns < due_ns) return;
  said_ns_ = elapsed_ns;
  const double share = static_cast<double>(done_bytes) / static_cast<double>(total_bytes);
  if (on_terminal_) return draw_bar(share, done_bytes, total_bytes);
  write_(fmt::format("loading the weights: {:.0f}%, {} of {}\n", 100 * share, format_byte_size(done_bytes),
                     format_byte_size(total_bytes)));
}

void LoadProgress::draw_bar(double share, int64_t done_bytes, int64_t total_bytes) {
  const auto filled = static_cast<size_t>(share * kBarWidth);
  write_(fmt::format("\r\033[Kloading [{}{}] {:3.0f}%  {} of {}", std::string(filled, '='),
                     std::string(kBarWidth - filled, ' '), 100 * share, format_byte_size(done_bytes),
                     format_byte_size(total_bytes)));
}

void LoadProgress::clear_bar() {
  if (!on_terminal_ || said_ns_ == 0) return;
  said_ns_ = 0;
  write_("\r\033[K");
}

bool draws_bar(std::string_view log_format) { return log_format != "json" && isatty(STDERR_FILENO) == 1; }

LoadProgress::Write stderr_writer(std::string_view log_level, std::string_view log_format) {
  if (log_level == "off") return [](std::string_view) {};
  if (log_format == "json") {
    return [](std::string_view line) { LOG(info, "{}", line.substr(0, line.find('\n'))); };
  }
  return [](std::string_view text) {
    fmt::print(stderr, "{}", text);
    std::fflush(stderr);
  };
}

}  // namespace quire
