// What is said on stderr while weights are read and packed: on a terminal a bar, elsewhere, and where the
// log is JSON, a line now and then. Nothing where loading is quick. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.h"

namespace quire {

class LoadProgress {
 public:
  using Write = std::function<void(std::string_view text)>;

  // Time counts from here.
  LoadProgress(const Clock& clock, bool on_terminal, Write write)
      : clock_(clock), on_terminal_(on_terminal), write_(std::move(write)), start_ns_(clock.now_ns()) {}
  ~LoadProgress() { clear_bar(); }
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  void operator()(int64_t done_bytes, int64_t total_bytes);

 private:
  void draw_bar(double share, int64_t done_bytes, int64_t total_bytes);
  void clear_bar();

  const Clock& clock_;
  const bool on_terminal_;
  const Write write_;
  const int64_t start_ns_;
  int64_t said_ns_ = 0;  // after start_ns_; 0: nothing was said yet
};

// Whether a bar may be drawn on stderr: it is a terminal, and no program reads the log there.
bool draws_bar(std::string_view log_format);
// On stderr, or silent where the log is. Where the log's lines are JSON, through the log, as level info.
LoadProgress::Write stderr_writer(std::string_view log_level, std::string_view log_format);

}  // namespace quire
