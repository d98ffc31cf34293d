// Holds compiles of grammars back until a test lets them go: those whose source has the word "held" in it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "grammar/grammar_compiler.h"

namespace quire {

class CompileGate {
 public:
  // The options with a gate in them, which lives as long as they do.
  static std::shared_ptr<CompileGate> add_to(GrammarCompilerOptions& options) {
    auto gate = std::make_shared<CompileGate>();
    options.on_compile = [gate](const GrammarSource& source) {
      if (source.text.contains("held")) gate->enter();
    };
    return gate;
  }

  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Waits until so many are held at once.
  void wait_for_held(int32_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return num_held_ == count; });
  }

 private:
  void enter() {
    std::unique_lock lock(mutex_);
    ++num_held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --num_held_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int32_t num_held_ = 0;
};

}  // namespace quire
