// Pieces of a long piece of work, one after the other, and how far it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace quire {

// Told before each stage: its number from 1, how many there are, its name, and how many seconds are left
// (as far as is known; negative: not at all).
struct StageProgress {
  int number = 0, count = 0;
  std::string name;
  double seconds_left = -1;
};

class Stages {
 public:
  using Work = std::function<Expected<>()>;

  // `estimate` is in seconds, or in any unit that is the same for all.
  void add(std::string name, double estimate, Work work) {
    stages_.push_back({std::move(name), estimate, std::move(work)});
  }

  // Ends with the first that fails.
  Expected<> run(const std::function<void(const StageProgress&)>& progress, const Clock& clock) const;

 private:
  struct Stage {
    std::string name;
    double estimate;
    Work work;
  };
  std::vector<Stage> stages_;
};

}  // namespace quire
