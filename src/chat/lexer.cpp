#include "chat/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "chat/characters.h"

namespace quire::jinja {
namespace {

constexpr std::array<std::string_view, 6> kLongOperators = {"//", "**", "==", "!=", ">=", "<="};
constexpr std::string_view kShortOperators = "+-*/%~()[]{}<>=.,:|;";

bool is_name_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_number_start(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char c) { return is_name_start(c) || is_number_start(c); }

// As Python reads a file: every line ends in \n, and the newline at the end of the source is dropped.
std::string normalize_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else if (i + 1 == source.size() || source[i + 1] != '\n') {
      out += '\n';
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  Expected<std::vector<Token>> run() {
    while (at_ < source_.size()) {
      if (auto ok = read_text_and_opener(); !ok) return pass_error(ok);
    }
    add(TokenKind::kEnd, at_, "");
    return std::move(tokens_);
  }

 private:
  template <class T>
  static std::unexpected<Error> pass_error(Expected<T>& failed) {
    return std::unexpected(std::move(failed).error());
  }

  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  std::string_view rest() const { return std::string_view(source_).substr(at_); }

  // Places are asked for in ascending order, so that lines are counted once.
  Position position(size_t at) {
    for (; counted_ < at; ++counted_) {
      if (source_[counted_] == '\n') ++line_, line_start_ = counted_ + 1;
    }
    return {line_, static_cast<uint32_t>(at - line_start_ + 1)};
  }

  void add(TokenKind kind, size_t at, std::string text) {
    tokens_.push_back({kind, position(at), std::move(text)});
  }

  std::unexpected<Error> error(size_t at, std::string_view message) {
    const std::string_view before = std::string_view(source_).substr(0, at);
    const size_t newline = before.rfind('\n');
    const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    const auto line = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    const Position place{line, static_cast<uint32_t>(at - line_start + 1)};
    return fail(ErrorCode::kInvalidArgument, "chat template, {}: {}", describe(place), message);
  }

  size_t find_opener() const {
    for (size_t i = at_; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#'))
        return i;
    }
    return source_.size();
  }

  // The text from `begin` to an opener at `end` whose white space control is `sign`.
  void add_text(size_t begin, size_t end, char sign, bool is_output) {
    std::string_view text = std::string_view(source_).substr(begin, end - begin);
    if (sign == '-') {
      text = text.substr(0, stripped(text, Side::kRight).end);
    } else if (sign != '+' && !is_output) {
      const size_t newline = text.rfind('\n');
      const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
      if (line > 0 || line_starting_) {
        const std::string_view last = text.substr(line);
        if (stripped(last, Side::kBoth).begin == last.size()) text = text.substr(0, line);
      }
    }
    if (!text.empty()) add(TokenKind::kText, begin, std::string(text));
  }

  Expected<> read_text_and_opener() {
    const size_t begin = at_, opener = find_opener();
    if (opener == source_.size()) {
      add(TokenKind::kText, begin, source_.substr(begin));
      at_ = opener;
      return {};
    }
    const char type = source_[opener + 1];
    at_ = opener + 2;
    const char sign = peek() == '-' || peek() == '+' ? peek() : '\0';
    add_text(begin, opener, sign, type == '{');
    if (sign != '\0') ++at_;
    if (type == '#') return skip_comment(opener);
    if (type == '%') {
      if (const auto after = raw_tag("raw")) return read_raw(opener, *after);
    }
    add(type == '{' ? TokenKind::kOutputBegin : TokenKind::kTagBegin, opener, "");
    return read_tag(opener, type == '{');
  }

  // Takes a closer such as "%}", with its sign, and the white space that it asks to take. False if none is
  // here.
  bool take_closer(std::string_view closer, bool trims_newline) {
    const bool minus = peek() == '-' && rest().substr(1).starts_with(closer);
    const bool plus = trims_newline && peek() == '+' && rest().substr(1).starts_with(closer);
    if (!minus && !plus && !rest().starts_with(closer)) return false;
    at_ += closer.size() + (minus || plus);
    line_starting_ = false;
    if (minus) {
      const size_t begin = at_;
      at_ += stripped(rest(), Side::kLeft).begin;
      line_starting_ = at_ > begin && source_[at_ - 1] == '\n';
    } else if (trims_newline && !plus && peek() == '\n') {
      ++at_;
      line_starting_ = true;
    }
    return true;
  }

  Expected<> skip_comment(size_t opener) {
    for (; at_ < source_.size(); ++at_) {
      // A sign belongs to the closer, so it is looked for first.
      if (peek() != '#' && peek() != '-' && peek() != '+') continue;
      if (take_closer("#}", true)) return {};
    }
    return error(opener, "this comment is never closed");
  }

  // Where `{% raw` (or endraw) goes on after its name; at_ is after the opener and its sign.
  std::optional<size_t> raw_tag(std::string_view name) const {
    const size_t skip = stripped(rest(), Side::kLeft).begin;
    const std::string_view tail = rest().substr(skip);
    if (!tail.starts_with(name)) return std::nullopt;
    const std::string_view after = tail.substr(name.size());
    const size_t space = stripped(after, Side::kLeft).begin;
    const std::string_view closer = after.substr(space);
    if (!closer.starts_with("%}") && !closer.starts_with("-%}") && !closer.starts_with("+%}"))
      return std::nullopt;
    return at_ + skip + name.size() + space;
  }

  Expected<> read_raw(size_t opener, size_t closer) {
    at_ = closer;
    if (!take_closer("%}", false)) return error(opener, "expected '%}' after raw");
    const size_t begin = at_;
    for (; at_ < source_.size(); ++at_) {
      if (!rest().starts_with("{%")) continue;
      const size_t end = at_;
      at_ += 2;
      const char sign = peek() == '-' || peek() == '+' ? peek() : '\0';
      if (sign != '\0') ++at_;
      if (const auto after = raw_tag("endraw")) {
        add_text(begin, end, sign, false);
        at_ = *after;
        take_closer("%}", true);
        return {};
      }
      at_ = end;
    }
    return error(opener, "this raw block is never closed");
  }

  // The tokens inside {{ }} or {% %}. Within brackets, a closer's characters are operators.
  Expected<> read_tag(size_t opener, bool is_output) {
    std::string brackets;  // the closing ones that are awaited
    while (true) {
      at_ += stripped(rest(), Side::kLeft).begin;
      if (at_ >= source_.size()) return error(opener, "this tag is never closed");
      const size_t begin = at_;
      if (brackets.empty() && take_closer(is_output ? "}}" : "%}", !is_output)) {
        add(is_output ? TokenKind::kOutputEnd : TokenKind::kTagEnd, begin, "");
        return {};
      }
      if (auto ok = read_token(brackets); !ok) return ok;
    }
  }

  Expected<> read_token(std::string& brackets) {
    const size_t begin = at_;
    const char c = peek();
    if (is_number_start(c)) return read_number();
    if (c == '\'' || c == '"') return read_string();
    if (is_name_start(c)) {
      while (is_name_part(peek())) ++at_;
      add(TokenKind::kName, begin, source_.substr(begin, at_ - begin));
      return {};
    }
    for (const std::string_view op : kLongOperators) {
      if (!rest().starts_with(op)) continue;
      at_ += op.size();
      add(TokenKind::kOperator, begin, std::string(op));
      return {};
    }
    if (kShortOperators.find(c) == std::string_view::npos) return error(begin, "unexpected character");
    if (c == '(') brackets += ')';
    if (c == '[') brackets += ']';
    if (c == '{') brackets += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) return error(begin, fmt::format("unexpected '{}'", c));
      brackets.pop_back();
    }
    ++at_;
    add(TokenKind::kOperator, begin, std::string(1, c));
    return {};
  }

  // Digits with single underscores between them; false if there is none.
  bool take_digits(std::string_view digits, std::string& out) {
    const size_t begin = at_;
    while (true) {
      const bool underscore = at_ > begin && peek() == '_';
      const char c = peek(underscore);
      if (c == '\0' || digits.find(c) == std::string_view::npos) return at_ > begin;
      out += c;
      at_ += 1 + underscore;
    }
  }

  Expected<> read_number() {
    constexpr std::string_view kDecimal = "0123456789";
    const size_t begin = at_;
    std::string text;
    const char base = static_cast<char>(peek(1) | 0x20);
    if (peek() == '0' && (base == 'x' || base == 'o' || base == 'b')) {
      text = {'0', base};
      at_ += 2;
      if (peek() == '_') ++at_;
      const auto digits = base == 'x' ? "0123456789abcdefABCDEF" : base == 'o' ? "01234567" : "01";
      if (!take_digits(digits, text)) return error(begin, "a number without digits");
      add(TokenKind::kInteger, begin, std::move(text));
      return {};
    }
    take_digits(kDecimal, text);
    bool is_float = false;
    const bool after_dot = begin > 0 && source_[begin - 1] == '.';  // as in a.0.1
    if (!after_dot && peek() == '.' && is_number_start(peek(1))) {
      text += '.';
      ++at_;
      take_digits(kDecimal, text);
      is_float = true;
    }
    const size_t sign = peek(1) == '+' || peek(1) == '-';
    if (!after_dot && (peek() | 0x20) == 'e' && is_number_start(peek(1 + sign))) {
      text += source_.substr(at_, 1 + sign);
      at_ += 1 + sign;
      take_digits(kDecimal, text);
      is_float = true;
    }
    if (!is_float && text.size() > 1 && text[0] == '0' &&
        text.find_first_not_of('0') != std::string::npos) {
      return error(begin, "a number with leading zeros");
    }
    add(is_float ? TokenKind::kFloat : TokenKind::kInteger, begin, std::move(text));
    return {};
  }

  Expected<> read_string() {
    const size_t begin = at_;
    const char quote = source_[at_++];
    std::string out;
    while (at_ < source_.size() && source_[at_] != quote) {
      if (source_[at_] != '\\') {
        out += source_[at_++];
      } else if (auto ok = read_escape(out); !ok) {
        return ok;
      }
    }
    if (at_ >= source_.size()) return error(begin, "this string is never closed");
    ++at_;
    add(TokenKind::kString, begin, std::move(out));
    return {};
  }

  // Python's escapes; one that it does not know keeps its backslash.
  Expected<> read_escape(std::string& out) {
    constexpr std::string_view kNames = "\\'\"abfnrtv", kBytes = "\\'\"\a\b\f\n\r\t\v";
    const size_t begin = at_;
    const char c = peek(1);
    at_ += 2;
    if (at_ > source_.size()) return error(begin, "this string is never closed");
    if (c == '\n') return {};
    if (const size_t known = kNames.find(c); known != std::string_view::npos) {
      out += kBytes[known];
      return {};
    }
    if (c >= '0' && c <= '7') return read_code(begin, at_ - 1, 3, 8, out);
    if (c == 'x') return read_code(begin, at_, 2, 16, out);
    if (c == 'u') return read_code(begin, at_, 4, 16, out);
    if (c == 'U') return read_code(begin, at_, 8, 16, out);
    if (c == 'N') return error(begin, "named characters are not supported");
    out += '\\';
    out += c;
    return {};
  }

  // A code point of `length` digits from `from`; octal ones may be fewer.
  Expected<> read_code(size_t begin, size_t from, size_t length, int base, std::string& out) {
    uint32_t code = 0;
    size_t taken = 0;
    for (; taken < length && from + taken < source_.size(); ++taken) {
      const char c = source_[from + taken];
      const int digit = is_number_start(c)                       ? c - '0'
                        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                 : 99;
      if (digit >= base) break;
      code = code * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit);
    }
    if (base == 16 && taken < length) return error(begin, "this escape has too few digits");
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
      return error(begin, "this escape is no character");
    append_character(code, out);
    at_ = from + taken;
    return {};
  }

  const std::string source_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  bool line_starting_ = true;  // the text that follows starts a line
  size_t counted_ = 0;         // bytes whose newlines are in line_
  uint32_t line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace

Expected<std::vector<Token>> tokenize(std::string_view source) {
  return Lexer(normalize_newlines(source)).run();
}

std::string describe(Position at) { return fmt::format("line {}, column {}", at.line, at.column); }

}  // namespace quire::jinja
