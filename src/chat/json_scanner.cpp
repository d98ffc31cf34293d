#include "chat/json_scanner.h"

#include "base/text.h"

namespace quire {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool JsonScanner::in_string() const {
  return state_ == State::kString || state_ == State::kEscape || state_ == State::kHex;
}

bool JsonScanner::can_close() const {
  return state_ == State::kAfter || state_ == State::kKeyOrEnd || state_ == State::kValueOrEnd;
}

std::string JsonScanner::closers() const {
  std::string text;
  for (int32_t depth = depth_; depth > 0; --depth) text += ((objects_ >> (depth - 1)) & 1) != 0 ? '}' : ']';
  return text;
}

JsonScanner::Status JsonScanner::go(State state) {
  state_ = state;
  return Status::kMore;
}

JsonScanner::Status JsonScanner::open(char bracket) {
  if (depth_ == kMaxDepth) return Status::kFailed;
  const uint64_t bit = uint64_t{1} << depth_;
  objects_ = bracket == '{' ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  return go(bracket == '{' ? State::kKeyOrEnd : State::kValueOrEnd);
}

JsonScanner::Status JsonScanner::close(char bracket) {
  if (in_object() != (bracket == '}')) return Status::kFailed;
  --depth_;
  state_ = State::kAfter;
  return depth_ == 0 ? Status::kDone : Status::kMore;
}

JsonScanner::Status JsonScanner::value(char c) {
  switch (c) {
    case '{':
    case '[': return open(c);
    case '"': is_key_ = false; return go(State::kString);
    case '-': return go(State::kMinus);
    case '0': return go(State::kZero);
    case 't': word_ = "rue"; return go(State::kWord);
    case 'f': word_ = "alse"; return go(State::kWord);
    case 'n': word_ = "ull"; return go(State::kWord);
    default: return is_digit(c) ? go(State::kDigits) : Status::kFailed;
  }
}

JsonScanner::Status JsonScanner::after(char c) {
  state_ = State::kAfter;
  if (is_json_space(c)) return Status::kMore;
  if (c == ',') return go(in_object() ? State::kKey : State::kValue);
  return c == '}' || c == ']' ? close(c) : Status::kFailed;
}

JsonScanner::Status JsonScanner::in_string(char c) {
  if (c == '"') return go(is_key_ ? State::kColon : State::kAfter);
  if (c == '\\') return go(State::kEscape);
  return static_cast<unsigned char>(c) < 0x20 ? Status::kFailed : Status::kMore;
}

JsonScanner::Status JsonScanner::in_number(char c) {
  const bool exponent = c == 'e' || c == 'E';
  switch (state_) {
    case State::kMinus:
      if (c == '0') return go(State::kZero);
      return is_digit(c) ? go(State::kDigits) : Status::kFailed;
    case State::kPoint: return is_digit(c) ? go(State::kFraction) : Status::kFailed;
    case State::kExponent:
      if (c == '+' || c == '-') return go(State::kExponentSign);
      [[fallthrough]];
    case State::kExponentSign: return is_digit(c) ? go(State::kExponentDigits) : Status::kFailed;
    case State::kZero:
    case State::kDigits:
      if (c == '.') return go(State::kPoint);
      if (exponent) return go(State::kExponent);
      return state_ == State::kDigits && is_digit(c) ? Status::kMore : after(c);
    case State::kFraction:
      if (exponent) return go(State::kExponent);
      return is_digit(c) ? Status::kMore : after(c);
    default: return is_digit(c) ? Status::kMore : after(c);
  }
}

JsonScanner::Status JsonScanner::push(char c) {
  switch (state_) {
    case State::kStart: return c == '{' || c == '[' ? open(c) : Status::kFailed;
    case State::kString: return in_string(c);
    case State::kEscape:
      if (c == 'u') {
        hex_left_ = 4;
        return go(State::kHex);
      }
      return std::string_view("\"\\/bfnrt").contains(c) ? go(State::kString) : Status::kFailed;
    case State::kHex:
      if (!hex_digit(c)) return Status::kFailed;
      return --hex_left_ == 0 ? go(State::kString) : Status::kMore;
    case State::kWord:
      if (c != word_.front()) return Status::kFailed;
      word_.remove_prefix(1);
      return word_.empty() ? go(State::kAfter) : Status::kMore;
    case State::kAfter: return after(c);
    case State::kValue:
    case State::kValueOrEnd:
      if (is_json_space(c)) return Status::kMore;
      return c == ']' && state_ == State::kValueOrEnd ? close(c) : value(c);
    case State::kKey:
    case State::kKeyOrEnd:
      if (is_json_space(c)) return Status::kMore;
      if (c == '}' && state_ == State::kKeyOrEnd) return close(c);
      is_key_ = true;
      return c == '"' ? go(State::kString) : Status::kFailed;
    case State::kColon:
      if (is_json_space(c)) return Status::kMore;
      return c == ':' ? go(State::kValue) : Status::kFailed;
    default: return in_number(c);
  }
}

}  // namespace quire
