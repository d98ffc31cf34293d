// Matches text against the patterns that a call may have there, all at once, byte by byte, until one of
// them is whole or none is left. Every byte costs at most one step of each pattern that is still alive (and
// one more where a pattern's step ends), so time is linear; memory is the text kept, at most kMaxCallBytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/json_scanner.h"
#include "chat/output_style.h"
#include "chat/tool_call.h"

namespace quire {

class CallMatcher {
 public:
  static constexpr size_t kMaxCallBytes = 1 << 20;  // from a pattern's start to its end
  static constexpr size_t kMaxSpaceBytes = 256;     // in a row, where a pattern has white space
  enum class Status : uint8_t { kMore, kDone, kFailed };

  // Begins anew. `tools` (names that may be called) and the patterns outlive the match.
  void start(std::span<const CallPattern> patterns, std::span<const std::string> tools);

  // kFailed: no pattern goes on with `c`, which is not among text(). kDone: calls() has what was found.
  Status push(char c);

  // The text has ended: calls that lack no more than what should close them count.
  bool finish();

  // What came since start().
  const std::string& text() const { return text_; }
  // After kDone, or finish() being true. Empty if the pattern marks the end of a row.
  std::vector<ToolCall> take_calls() { return std::move(calls_); }

  int64_t steps() const { return steps_; }

 private:
  struct Match {
    CallPattern pattern;
    size_t step = 0;
    size_t begin = 0;  // of the step's text
    std::string name = {};
    JsonScanner json = {};
    PythonListScanner python = {};
    std::optional<std::vector<ToolCall>> calls = {};
  };
  // What a byte does to a step: it is its last, belongs to it, comes after it, or cannot be.
  enum class Fit : uint8_t { kEnds, kBelongs, kAfter, kFails };
  Fit fit(Match& match, char c);
  Status advance(Match& match, char c);
  bool read_calls(Match& match, CallStep::Kind kind);

  std::span<const std::string> tools_;
  std::vector<Match> matches_;  // alive
  std::string text_;
  std::vector<ToolCall> calls_;
  int64_t steps_ = 0;
};

}  // namespace quire
