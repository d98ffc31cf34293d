#include "grammar/ebnf_check.h"

#include <algorithm>

#include "base/text.h"

namespace quire {
namespace {

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "the grammar {}", what);
}

bool is_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The end of the literal, class or comment that starts at `at`.
size_t skip_quoted(std::string_view text, size_t at) {
  const char end = text[at] == '[' ? ']' : text[at] == '#' ? '\n' : '"';
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && end != '\n') {
      ++i;
    } else if (text[i] == end) {
      return i;
    }
  }
  return text.size();
}

// The larger count of {m}, {m,} or {m,n}.
int64_t count_at(std::string_view text, size_t at) {
  int64_t largest = 1, count = 0;
  for (size_t i = at + 1; i < text.size() && text[i] != '}'; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      count = 0;
      continue;
    }
    count = std::min<int64_t>(count * 10 + (text[i] - '0'), kMaxEbnfCounts + 1);
    largest = std::max(largest, count);
  }
  return largest;
}

}  // namespace

Expected<> check_ebnf(std::string_view text) {
  if (text.size() > kMaxEbnfBytes) {
    return fail(ErrorCode::kInvalidArgument, "the grammar takes at most {} bytes, but has {}",
                kMaxEbnfBytes, text.size());
  }
  if (!is_valid_utf8(text)) return refuse("is not valid UTF-8");
  if (text.find('\0') != text.npos) return refuse("has a character NUL");
  int32_t depth = 0;
  int64_t counts = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
      case '[':
      case '#': at = skip_quoted(text, at); break;
      case '(':
        if (at > 0 && is_name(text[at - 1])) {
          return refuse(
              "has a name directly before a parenthesis: macros are not supported, and groups need a "
              "blank");
        }
        if (++depth > kMaxEbnfDepth) return refuse("nests parentheses too deeply");
        break;
      case ')': --depth; break;
      case '{':
        counts += count_at(text, at);
        if (counts > kMaxEbnfCounts) return refuse("repeats too much: the sum of its counts is too large");
        break;
      default: break;
    }
  }
  return {};
}

}  // namespace quire
