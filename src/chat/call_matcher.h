// Matches text against the patterns that a call may have there, all at once, byte by byte, until one of
// them is whole or none is left. A call is told before its pattern is whole: once one pattern is left, the
// name is that of a tool, and its arguments have begun, its pieces come as its bytes do. Every byte costs at
// most one step of each pattern that is still alive (and one more where a pattern's step ends), so time is
// linear; memory is the text kept, which is that of no piece, at most kMaxCallBytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/json_call_reader.h"
#include "chat/json_scanner.h"
#include "chat/output_style.h"
#include "chat/tool_call.h"

namespace quire {

class CallMatcher {
 public:
  static constexpr size_t kMaxCallBytes = 1 << 20;  // of a pattern, that are not told yet
  static constexpr size_t kMaxSpaceBytes = 256;     // in a row, where a pattern has white space
  enum class Status : uint8_t { kMore, kDone, kFailed };

  // Begins anew. `tools` (names that may be called) and the patterns outlive the match. More than
  // `max_calls` are none.
  void start(std::span<const CallPattern> patterns, std::span<const std::string> tools, size_t max_calls);

  // kFailed: no pattern goes on with `c`, which is not among text().
  Status push(char c);

  // The text has ended: calls that lack no more than what should close them count.
  bool finish();

  // What came since start() and is not of calls that were told.
  const std::string& text() const { return text_; }
  // What came of calls since clear_pieces(): all of them after kDone, or finish() being true.
  std::span<CallPiece> pieces() { return pieces_; }
  void clear_pieces() { pieces_.clear(); }
  // After kDone: the pattern does not just mark the end of a row.
  bool has_calls() const { return has_calls_; }

  int64_t steps() const { return steps_; }

 private:
  struct Match {
    CallPattern pattern;
    JsonCallReader json_calls;
    size_t step = 0;
    size_t begin = 0;  // of the step's text
    std::string name = {};
    JsonScanner json = {};
    PythonListScanner python = {};
    bool is_bad = false;                 // what is called is no tool
    bool has_calls = false;              // they are whole
    std::vector<CallPiece> pieces = {};  // that are not told
  };
  // What a byte does to a step: it is its last, belongs to it, comes after it, or cannot be.
  enum class Fit : uint8_t { kEnds, kBelongs, kAfter, kFails };
  Fit fit(Match& match, char c);
  Fit fit_arguments(Match& match, char c);
  Status advance(Match& match, char c);
  void tell(Match& match);
  bool end_calls(Match& match, CallStep::Kind kind);

  std::span<const std::string> tools_;
  size_t max_calls_ = 0;
  std::vector<Match> matches_;  // alive
  std::string text_;
  std::vector<CallPiece> pieces_;
  bool has_calls_ = false;
  int64_t steps_ = 0;
};

}  // namespace quire
