// Ctrl-C as a question instead of an end: while one of these lives, SIGINT only raises its flag.
#pragma once

#include <csignal>

namespace quire {

// At most one at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();  // SIGINT does again what it did before
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool raised() const;

 private:
  struct sigaction previous_;
};

}  // namespace quire
