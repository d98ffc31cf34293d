// Finds where a JSON object or array ends as its bytes come, and whether it is one (RFC 8259; that strings
// are UTF-8 is for others to see to). Constant memory, one step a byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quire {

inline constexpr std::string_view kJsonSpaces = " \n\r\t";
inline bool is_json_space(char c) { return kJsonSpaces.contains(c); }

class JsonScanner {
 public:
  static constexpr int32_t kMaxDepth = 64;  // containers within containers
  enum class Status : uint8_t { kMore, kDone, kFailed };

  // The first byte must open the object or array. kDone comes with the byte that closes it; after kDone or
  // kFailed nothing more may be pushed.
  Status push(char c);

  int32_t depth() const { return depth_; }  // containers that are open
  bool in_string() const;                   // of a key or a value; false after its closing quote
  // Whether closers() may follow here: after a bracket or a value that is known to be whole.
  bool can_close() const;
  // What closes all containers that are open.
  std::string closers() const;

 private:
  enum class State : uint8_t {
    kStart,
    kValue,
    kValueOrEnd,  // after [
    kKey,
    kKeyOrEnd,  // after {
    kColon,
    kAfter,  // a value
    kString,
    kEscape,
    kHex,
    kWord,  // true, false, null
    kMinus,
    kZero,
    kDigits,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };
  Status go(State state);
  Status open(char bracket);
  Status close(char bracket);
  Status value(char c);
  Status after(char c);
  Status in_string(char c);
  Status in_number(char c);
  bool in_object() const { return depth_ > 0 && ((objects_ >> (depth_ - 1)) & 1) != 0; }

  State state_ = State::kStart;
  uint64_t objects_ = 0;  // by depth, a bit: an object, not an array
  int32_t depth_ = 0;
  bool is_key_ = false;    // the string being read is one
  int32_t hex_left_ = 0;   // digits of a \u escape
  std::string_view word_;  // what must still come of it
};

}  // namespace quire
