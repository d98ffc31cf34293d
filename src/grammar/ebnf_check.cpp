#include "grammar/ebnf_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace quire {
namespace {

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "the grammar {}", what);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

// The end of the literal, class or comment that starts at `at`.
size_t skip_quoted(std::string_view text, size_t at) {
  if (text[at] == '#') return std::min(text.find_first_of("\r\n", at), text.size());
  const char end = text[at] == '[' ? ']' : '"';
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == end) {
      return i;
    }
  }
  return text.size();
}

// What xgrammar reads as something of its own wherever a name may stand.
constexpr std::string_view kMacros[] = {"TagDispatch",      "Token", "ExcludeToken",
                                        "TokenTagDispatch", "Regex", "Substring"};
// What may begin a rule's attributes: name[max_tokens=5] ::= ...
constexpr std::string_view kAttributes[] = {"max_tokens",   "max_chars", "capture",
                                            "stop_capture", "lazy",      "temperature"};

Expected<> check_name(std::string_view name, std::string_view rest) {
  if (std::ranges::find(kMacros, name) != std::end(kMacros)) {
    return refuse(fmt::format("has the name '{}': macros are not supported", name));
  }
  if (rest.starts_with('(')) {
    return refuse(
        "has a name directly before a parenthesis: macros are not supported, and groups need a "
        "blank");
  }
  if (!rest.starts_with('[')) return {};
  const std::string_view inside = rest.substr(std::min(rest.find_first_not_of(" \t", 1), rest.size()));
  if (std::ranges::any_of(kAttributes, [&](std::string_view word) { return inside.starts_with(word); })) {
    return refuse("has a rule with attributes, which are not supported");
  }
  return {};
}

// Reads a grammar from its start to its end.
class EbnfScan {
 public:
  explicit EbnfScan(std::string_view text) : text_(text) {}

  Expected<int64_t> counts() {
    for (size_t at = 0; at < text_.size();) {
      if (auto stepped = step(at); !stepped) return std::unexpected(stepped.error());
    }
    return counts_;
  }

 private:
  Expected<> step(size_t& at) {
    const char c = text_[at];
    if (begins_name(c)) return read_name(at);
    if (is_digit(c)) return read_number(at);
    if (c == '"' || c == '[' || c == '#') at = skip_quoted(text_, at);
    if (c == '{') in_braces_ = true, largest_ = 1;
    if (c == '}') {
      in_braces_ = false;
      counts_ += largest_;
      if (counts_ > kMaxEbnfCounts) return refuse("repeats too much: the sum of its counts is too large");
    }
    if (c == '(' && ++depth_ > kMaxEbnfDepth) return refuse("nests parentheses too deeply");
    if (c == ')') --depth_;
    ++at;
    return {};
  }

  Expected<> read_name(size_t& at) {
    size_t end = at;
    while (end < text_.size() && (begins_name(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view name = text_.substr(at, end - at);
    at = end;
    return check_name(name, text_.substr(end));
  }

  Expected<> read_number(size_t& at) {
    int64_t number = 0;
    for (; at < text_.size() && is_digit(text_[at]); ++at) {
      number = std::min<int64_t>(number * 10 + (text_[at] - '0'), kMaxEbnfCounts + 1);
    }
    if (in_braces_) largest_ = std::max(largest_, number);
    return {};
  }

  const std::string_view text_;
  int32_t depth_ = 0;
  int64_t counts_ = 0;
  int64_t largest_ = 1;  // of the counts between the braces
  bool in_braces_ = false;
};

}  // namespace

Expected<int64_t> check_ebnf(std::string_view text) {
  if (text.size() > kMaxEbnfBytes) {
    return fail(ErrorCode::kInvalidArgument, "the grammar takes at most {} bytes, but has {}",
                kMaxEbnfBytes, text.size());
  }
  if (!is_valid_utf8(text)) return refuse("is not valid UTF-8");
  if (text.find('\0') != text.npos) return refuse("has a character NUL");
  return EbnfScan(text).counts();
}

}  // namespace quire
