// How far a run is: on a terminal one line that is drawn again and again, elsewhere a line now and then, or
// nothing. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace quire {

class ProgressBar {
 public:
  enum class Elsewhere : uint8_t { kSilent, kLines };
  using Write = std::function<void(std::string_view text)>;

  // On stderr; whether that is a terminal is looked up.
  explicit ProgressBar(Elsewhere elsewhere = Elsewhere::kSilent);
  ProgressBar(bool on_terminal, Elsewhere elsewhere, Write write)
      : on_terminal_(on_terminal), elsewhere_(elsewhere), write_(std::move(write)) {}
  ~ProgressBar();  // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Drawn where the percentage or the second has changed; written where the last line was 10 seconds ago.
  void show(size_t finished, size_t total, double elapsed_s);

 private:
  void draw(size_t finished, size_t total, double elapsed_s);

  const bool on_terminal_;
  const Elsewhere elsewhere_;
  const Write write_;
  int drawn_percent_ = -1;
  int64_t drawn_second_ = -1;
  double said_s_ = 0;  // when the last line was written
};

}  // namespace quire
