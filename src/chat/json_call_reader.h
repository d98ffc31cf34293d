// Reads calls out of JSON as its bytes come: {"name": ..., "arguments" or "parameters": {...}}, or an array
// of those. Other members are of no matter, nor is what comes a second time; no arguments are {}. One step a
// byte; memory is what pieces hold that were not taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/json_scanner.h"
#include "chat/tool_call.h"

namespace quire {

class JsonCallReader {
 public:
  using Status = JsonScanner::Status;

  // Of `tools`, which outlive it; at most `max_calls`.
  JsonCallReader(std::span<const std::string> tools, size_t max_calls)
      : tools_(tools), max_calls_(max_calls) {}

  // The first byte must open the object or array. kFailed: it is no JSON, or is whole and not of calls only.
  // kDone: it is whole, and take_pieces() has all calls.
  Status push(char c);

  // Whether all that came up to here is of calls that nothing can unmake: the name of the last one is that
  // of a tool, and its arguments have begun. Pieces may be taken then.
  bool is_sure() const;
  // Appends what came of calls since the last time.
  void take_pieces(std::vector<CallPiece>& out);

 private:
  // Where in a call's own members it is.
  enum class Place : uint8_t { kBeforeKey, kKey, kBeforeValue, kName, kAfter };
  enum class Key : uint8_t { kName, kArguments, kOther };

  void read(char c, int32_t depth, bool in_string);
  void begin_call(char c);
  void end_call();
  void read_member(char c, bool in_string);
  void begin_value(char c);
  void end_word();

  std::span<const std::string> tools_;
  size_t max_calls_;
  JsonScanner scanner_;
  std::vector<CallPiece> pieces_;  // the last one is of the call that is read
  size_t num_calls_ = 0;
  bool is_array_ = false;
  bool is_bad_ = false;  // something in it is no call
  bool in_call_ = false;
  // Of the call that is read.
  Place place_ = Place::kBeforeKey;
  Key key_ = Key::kOther;
  std::string word_;  // of a key or the name, as far as it may be of use
  bool is_named_ = false, has_arguments_ = false, in_arguments_ = false;
  bool was_taken_ = false;  // its name has been
};

}  // namespace quire
