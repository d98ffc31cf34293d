#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "grammar/grammar_spec.h"
#include "grammar/regex.h"

namespace quire {
namespace {

constexpr uint32_t kLastCodePoint = 0x10ffff;
constexpr CodePointRange kSurrogates{0xd800, 0xdfff};

CodePointSet normalized(CodePointSet set) {
  std::ranges::sort(set, {}, &CodePointRange::first);
  CodePointSet out;
  for (const auto& range : set) {
    if (!out.empty() && range.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CodePointSet complement(CodePointSet set) {
  set.push_back(kSurrogates);
  CodePointSet out;
  uint32_t next = 0;
  for (const auto& [first, last] : normalized(std::move(set))) {
    if (first > next) out.push_back({next, first - 1});
    next = last + 1;
  }
  if (next <= kLastCodePoint) out.push_back({next, kLastCodePoint});
  return out;
}

CodePointSet without_surrogates(const CodePointSet& set) {
  CodePointSet out;
  for (const auto& [first, last] : set) {
    if (first < kSurrogates.first) out.push_back({first, std::min(last, kSurrogates.first - 1)});
    if (last > kSurrogates.last) out.push_back({std::max(first, kSurrogates.last + 1), last});
  }
  return out;
}

// What every dialect matches, and what some do. Their complements change places when a set is negated.
struct Charset {
  CodePointSet sure, maybe;

  void add(const Charset& other) {
    sure.insert(sure.end(), other.sure.begin(), other.sure.end());
    maybe.insert(maybe.end(), other.maybe.begin(), other.maybe.end());
  }
  void add(CodePointRange range) { add({{range}, {range}}); }
  Charset negated() const { return {complement(maybe), complement(sure)}; }
};

Charset shorthand(char letter) {
  const CodePointRange beyond_ascii{0x80, kLastCodePoint};
  switch (letter) {
    case 'd': return {{{'0', '9'}}, {{'0', '9'}, beyond_ascii}};
    case 'w': {
      const CodePointSet word{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
      CodePointSet more = word;
      more.push_back(beyond_ascii);
      return {word, more};
    }
    default: {
      const CodePointSet space{{'\t', '\r'}, {' ', ' '}};
      return {space, {{'\t', '\r'}, {0x1c, ' '}, beyond_ascii}};
    }
  }
}

class RegexParser {
 public:
  explicit RegexParser(std::string_view pattern) {
    for (size_t at = 0; at < pattern.size();) characters_.push_back(next_code_point(pattern, at));
  }

  Expected<RegexNode> parse() {
    auto node = parse_choice(0);
    if (!node) return node;
    if (!done()) return refuse("a ')' that closes nothing");
    return node;
  }

 private:
  bool done() const { return at_ == characters_.size(); }
  uint32_t peek(size_t ahead = 0) const {
    return at_ + ahead < characters_.size() ? characters_[at_ + ahead] : 0;
  }
  bool take(char c) {
    if (done() || peek() != static_cast<uint32_t>(c)) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> refuse(std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument, "the pattern has {} at character {}", what, at_ + 1);
  }
  std::unexpected<Error> unsupported(std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument, "the pattern has {} at character {}, which is not supported",
                what, at_ + 1);
  }

  Expected<RegexNode> parse_choice(int32_t depth) {
    if (depth > kMaxRegexDepth) return refuse("groups that nest too deeply");
    RegexNode choice{.kind = RegexNode::Kind::kChoice};
    do {
      auto sequence = parse_sequence(depth);
      if (!sequence) return sequence;
      choice.children.push_back(std::move(*sequence));
    } while (take('|'));
    if (choice.children.size() == 1) return std::move(choice.children.front());
    return choice;
  }

  Expected<RegexNode> parse_sequence(int32_t depth) {
    RegexNode sequence;
    if (depth == 0) take('^');
    while (!done() && peek() != '|' && peek() != ')') {
      if (peek() == '$' && depth == 0 && (at_ + 1 == characters_.size() || peek(1) == '|')) {
        ++at_;
        continue;
      }
      auto atom = parse_atom(depth);
      if (!atom) return atom;
      auto repeated = parse_repetition(std::move(*atom));
      if (!repeated) return repeated;
      sequence.children.push_back(std::move(*repeated));
    }
    return sequence;
  }

  Expected<RegexNode> parse_atom(int32_t depth) {
    switch (peek()) {
      case '^':
      case '$': return unsupported("an anchor inside");
      case '*':
      case '+':
      case '?': return refuse("a repetition of nothing");
      case '{': return refuse("a '{' that follows nothing (write \\{)");
      case '(': return parse_group(depth);
      case '[': return parse_set();
      case '\\': {
        ++at_;
        Charset set;
        if (auto escaped = parse_escape(set); !escaped) return std::unexpected(escaped.error());
        return set_node(set);
      }
      case '.': {
        ++at_;
        const CodePointSet line_ends{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
        return set_node({complement(line_ends), {}});
      }
      default: {
        Charset set;
        set.add({peek(), peek()});
        ++at_;
        return set_node(set);
      }
    }
  }

  Expected<RegexNode> parse_group(int32_t depth) {
    ++at_;
    if (take('?')) {
      if (take(':')) {
      } else if (peek() == 'P' || peek() == '<') {
        take('P');
        const bool name = take('<') && peek() != '=' && peek() != '!';
        if (!name) return unsupported("a look-behind or a reference to a group");
        while (!done() && peek() != '>') ++at_;
        if (!take('>')) return refuse("a group's name without an end");
      } else {
        return unsupported("a look-around or a flag");
      }
    }
    auto inner = parse_choice(depth + 1);
    if (!inner) return inner;
    if (!take(')')) return refuse("a group without a ')'");
    return inner;
  }

  Expected<RegexNode> parse_repetition(RegexNode atom) {
    RegexNode repeat{.kind = RegexNode::Kind::kRepeat};
    if (take('*')) {
      repeat.least = 0, repeat.most = kNoLimit;
    } else if (take('+')) {
      repeat.most = kNoLimit;
    } else if (take('?')) {
      repeat.least = 0;
    } else if (peek() == '{') {
      ++at_;
      if (auto counts = parse_counts(repeat); !counts) return std::unexpected(counts.error());
    } else {
      return atom;
    }
    take('?');  // lazy or greedy is one to a grammar
    if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') {
      return refuse("two repetitions in a row");
    }
    repeat.children.push_back(std::move(atom));
    return repeat;
  }

  Expected<> parse_counts(RegexNode& repeat) {
    const auto least = parse_count();
    if (!least) return refuse("a repetition without a least count");
    repeat.least = repeat.most = *least;
    if (take(',')) repeat.most = parse_count().value_or(kNoLimit);
    if (!take('}')) return refuse("a repetition without a '}'");
    if (repeat.most != kNoLimit && repeat.most < repeat.least)
      return refuse("a repetition from more to less");
    return {};
  }

  std::optional<int64_t> parse_count() {
    if (peek() < '0' || peek() > '9') return std::nullopt;
    int64_t count = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      count = std::min<int64_t>(count * 10 + peek() - '0', 1 << 30);
    return count;
  }

  Expected<RegexNode> parse_set() {
    ++at_;
    const bool negated = take('^');
    Charset set;
    while (!done() && peek() != ']') {
      if (auto member = parse_member(set); !member) return std::unexpected(member.error());
    }
    if (!take(']')) return refuse("a set without a ']'");
    return set_node(negated ? set.negated() : set);
  }

  // A character, a shorthand, or a range.
  Expected<> parse_member(Charset& set) {
    Charset first;
    if (auto read = parse_set_character(first); !read) return read;
    const bool range = peek() == '-' && peek(1) != ']' && at_ + 1 < characters_.size();
    if (!range) {
      set.add(first);
      return {};
    }
    ++at_;
    Charset last;
    if (auto read = parse_set_character(last); !read) return read;
    const auto single = [](const Charset& s) { return s.sure.size() == 1 && s.maybe.size() == 1; };
    if (!single(first) || !single(last) || first.sure[0].first > last.sure[0].first) {
      return refuse("a range from more to less");
    }
    set.add({first.sure[0].first, last.sure[0].first});
    return {};
  }

  Expected<> parse_set_character(Charset& set) {
    if (take('\\')) return parse_escape(set);
    set.add({peek(), peek()});
    ++at_;
    return {};
  }

  // After the backslash.
  Expected<> parse_escape(Charset& set) {
    if (done()) return refuse("a backslash at its end");
    const uint32_t letter = peek();
    const auto one = [&](uint32_t code_point) -> Expected<> {
      set.add({code_point, code_point});
      return {};
    };
    if (letter >= 0x80) return refuse("an escape that is not known");
    switch (letter) {
      case 'd':
      case 'w':
      case 's': ++at_; return set.add(shorthand(static_cast<char>(letter))), Expected<>();
      case 'D':
      case 'W':
      case 'S': ++at_; return set.add(shorthand(static_cast<char>(letter + 32)).negated()), Expected<>();
      case 'n': ++at_; return one('\n');
      case 'r': ++at_; return one('\r');
      case 't': ++at_; return one('\t');
      case 'f': ++at_; return one('\f');
      case 'v': ++at_; return one('\v');
      case 'x': ++at_; return parse_hex(2, set);
      case 'u': ++at_; return parse_hex(4, set);
      case 'b':
      case 'B': return unsupported("a word boundary");
      case 'p':
      case 'P': return unsupported("a Unicode property");
      default: break;
    }
    const bool alphanumeric = (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                              (letter >= 'A' && letter <= 'Z');
    if (alphanumeric) return unsupported("an escape or a back reference");
    ++at_;
    return one(letter);
  }

  Expected<> parse_hex(int32_t digits, Charset& set) {
    const bool braces = digits == 4 && take('{');
    uint32_t value = 0;
    int32_t count = 0;
    for (; count < (braces ? 6 : digits); ++count, ++at_) {
      const uint32_t c = peek();
      const uint32_t lower = c | 0x20;
      if (c >= '0' && c <= '9') {
        value = value * 16 + (c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + (lower - 'a' + 10);
      } else {
        break;
      }
    }
    const bool whole = braces ? count > 0 && take('}') : count == digits;
    const bool surrogate = value >= kSurrogates.first && value <= kSurrogates.last;
    if (!whole || value > kLastCodePoint || surrogate) return refuse("an escape that is no character");
    set.add({value, value});
    return {};
  }

  Expected<RegexNode> set_node(const Charset& set) const {
    CodePointSet sure = without_surrogates(normalized(set.sure));
    if (sure.empty()) return refuse("a set that matches no character");
    return RegexNode{.kind = RegexNode::Kind::kSet, .set = std::move(sure)};
  }

  std::vector<uint32_t> characters_;
  size_t at_ = 0;
};

}  // namespace

Expected<RegexNode> parse_regex(std::string_view pattern) {
  if (pattern.size() > kMaxRegexBytes) {
    return fail(ErrorCode::kInvalidArgument, "a pattern takes at most {} bytes, but has {}", kMaxRegexBytes,
                pattern.size());
  }
  if (!is_valid_utf8(pattern)) return fail(ErrorCode::kInvalidArgument, "the pattern is not valid UTF-8");
  return RegexParser(pattern).parse();
}

}  // namespace quire
