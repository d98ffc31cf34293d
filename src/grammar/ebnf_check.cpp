#include "grammar/ebnf_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "grammar/regex.h"

namespace quire {
namespace {

std::unexpected<Error> refuse(std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "the grammar {}", what);
}

std::unexpected<Error> no_root() {
  return refuse(
      "has no rule 'root'; rules are written as in: root ::= \"a\" | other. Lark's form (start: \"a\") is "
      "not "
      "supported");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

// Whether an escape's digits, as xgrammar reads them (any number after x), stand for a character.
bool is_character(std::string_view escape) {
  const size_t wanted = escape[0] == 'u' ? 4 : escape[0] == 'U' ? 8 : escape.size();
  int64_t code_point = 0;
  for (size_t i = 1; i < escape.size() && i <= wanted; ++i) {
    const auto digit = hex_digit(escape[i]);
    if (!digit) break;
    code_point = std::min<int64_t>(code_point * 16 + *digit, 0x110000);
  }
  return code_point < 0xd800 || (code_point > 0xdfff && code_point <= 0x10ffff);
}

// What a class of characters costs: [^a] and those written with code points are taken for large.
int64_t class_cost(std::string_view text) {
  const bool large = text.starts_with("[^") || text.contains("\\x") || text.contains("\\u") ||
                     text.contains("\\U") || std::ranges::any_of(text, [](char c) { return c < 0; });
  return large ? kCostOfAny : 1;
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
  EbnfScan(std::string_view text, GrammarBudget& budget) : text_(text), budget_(budget) {}

  Expected<int64_t> counts() {
    for (size_t at = 0; at < text_.size();) {
      if (auto stepped = step(at); !stepped) return std::unexpected(stepped.error());
    }
    if (auto charged = charge_rule(); !charged) return std::unexpected(charged.error());
    if (!has_root_) return no_root();
    return counts_;
  }

 private:
  // What one rule costs, by what stands in it. What may be left out stands for all that follows.
  struct Rule {
    int64_t num_parts = 0;
    int64_t num_classes = 0;
    int64_t num_optional = 0;
    int64_t class_cost = 0;
  };
  static constexpr int64_t kWrittenOut = 128;  // repetitions of a class; xgrammar counts more of them

  Expected<> charge_rule() {
    const Rule rule = std::exchange(rule_, {});
    if (auto row = budget_.charge_row(rule.num_parts); !row) return row;
    const int64_t at_once = std::min(rule.num_classes, rule.num_optional);
    return budget_.charge({}, rule.class_cost + at_once * at_once);
  }

  Expected<> step(size_t& at) {
    const char c = text_[at];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#') {
      at = c == '#' ? skip_quoted(text_, at) : at + 1;
      return {};
    }
    if (is_digit(c)) return read_number(at);
    if (c == '}') return end_count(at);
    if (c != '{' && c != ',' && c != '+') last_class_cost_ = 0;
    if (begins_name(c)) return read_name(at);
    if (c == '"' || c == '[') return read_quoted(at);
    if (text_.substr(at).starts_with("::=")) {
      at += 3;
      has_root_ = has_root_ || last_name_ == "root";
      return charge_rule();
    }
    if (c == '{') in_braces_ = true, largest_ = 1;
    if (c == '?' || c == '{') ++rule_.num_optional;
    if (c == '(' && ++depth_ > kMaxEbnfDepth) return refuse("nests parentheses too deeply");
    if (c == ')') --depth_;
    ++at;
    return {};
  }

  // Up to the closing brace of {m,n}.
  Expected<> end_count(size_t& at) {
    ++at;
    in_braces_ = false;
    counts_ += largest_;
    if (counts_ > kMaxEbnfCounts) return refuse("repeats too much: the sum of its counts is too large");
    rule_.class_cost += last_class_cost_ * (std::min(largest_, kWrittenOut) - 1);
    last_class_cost_ = 0;
    return {};
  }

  // A literal or a class.
  Expected<> read_quoted(size_t& at) {
    const size_t end = skip_quoted(text_, at);
    const std::string_view quoted = text_.substr(at, end - at);
    for (size_t i = 0; i + 1 < quoted.size(); ++i) {
      if (quoted[i] != '\\') continue;
      ++i;
      const bool coded = quoted[i] == 'x' || quoted[i] == 'u' || quoted[i] == 'U';
      if (coded && !is_character(quoted.substr(i))) return refuse("has an escape that is no character");
    }
    ++rule_.num_parts;
    if (quoted[0] == '[') {
      last_class_cost_ = class_cost(quoted);
      rule_.class_cost += last_class_cost_;
      ++rule_.num_classes;
    }
    at = end + 1;
    return {};
  }

  Expected<> read_name(size_t& at) {
    size_t end = at;
    while (end < text_.size() && (begins_name(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view name = text_.substr(at, end - at);
    ++rule_.num_parts;
    at = end;
    last_name_ = name;
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
  GrammarBudget& budget_;
  Rule rule_;                    // that is read
  int64_t last_class_cost_ = 0;  // of the class just before; 0: none is
  int32_t depth_ = 0;
  int64_t counts_ = 0;
  int64_t largest_ = 1;  // of the counts between the braces
  bool in_braces_ = false;
  std::string_view last_name_;
  bool has_root_ = false;
};

}  // namespace

Expected<int64_t> check_ebnf(std::string_view text, GrammarBudget& budget) {
  if (text.size() > kMaxEbnfBytes) {
    return fail(ErrorCode::kInvalidArgument, "the grammar takes at most {} bytes, but has {}",
                kMaxEbnfBytes, text.size());
  }
  if (!is_valid_utf8(text)) return refuse("is not valid UTF-8");
  if (text.find('\0') != text.npos) return refuse("has a character NUL");
  if (!text.contains("::=")) return no_root();
  if (auto written = budget.write(text.size()); !written) return std::unexpected(written.error());
  return EbnfScan(text, budget).counts();
}

}  // namespace quire
