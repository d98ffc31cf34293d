// One line on a terminal that tells how far a run is. Writes nothing where stderr is no terminal.
#pragma once

#include <cstddef>

namespace quire {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  // clears the line
  void show(size_t finished, size_t total, double elapsed_s);

 private:
  bool visible_;
  int drawn_percent_ = -1;
};

}  // namespace quire
