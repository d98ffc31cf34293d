// read_python_calls and PythonListScanner of chat/tool_call.h.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "chat/characters.h"
#include "chat/json_scanner.h"
#include "chat/tool_call.h"

namespace quire {
namespace {

void append_json_byte(char c, std::string& out) {
  constexpr std::string_view kNames = "\b\f\n\r\t\"\\", kLetters = "bfnrt\"\\";
  if (const size_t at = kNames.find(c); at != std::string_view::npos) {
    out += '\\';
    out += kLetters[at];
  } else if (static_cast<unsigned char>(c) < 0x20) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

bool is_json_number(std::string_view text) {
  JsonScanner scanner;
  scanner.push('[');
  for (const char c : text) {
    if (scanner.push(c) == JsonScanner::Status::kFailed) return false;
  }
  return scanner.push(']') == JsonScanner::Status::kDone;
}

// Reads Python's literals and writes them as JSON. Every function is false for what it cannot read.
class PythonReader {
 public:
  PythonReader(std::string_view text, std::span<const std::string> tools) : text_(text), tools_(tools) {}

  bool calls(std::vector<ToolCall>& out) {
    if (!take('[')) return false;
    while (!take(']')) {
      if (!call(out.emplace_back()) || !separated(']')) return false;
    }
    return !out.empty() && peek() == '\0';
  }

 private:
  char peek() {
    at_ = std::min(text_.find_first_not_of(kJsonSpaces, at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // A comma, or the closing bracket, which is left.
  bool separated(char close) { return take(',') || peek() == close; }

  std::string_view word(bool (*belongs)(char)) {
    peek();
    const auto* begin = text_.data() + at_;
    const auto* end = std::find_if_not(begin, text_.data() + text_.size(), belongs);
    at_ += static_cast<size_t>(end - begin);
    return {begin, end};
  }

  bool call(ToolCall& out) {
    out.name = word(is_tool_name_byte);
    if (std::ranges::find(tools_, out.name) == tools_.end() || !take('(')) return false;
    out.arguments = "{";
    while (!take(')')) {
      const std::string_view keyword = word(is_tool_name_byte);
      if (keyword.empty() || !take('=')) return false;
      fmt::format_to(std::back_inserter(out.arguments), "{}\"{}\": ", out.arguments.size() > 1 ? ", " : "",
                     keyword);
      if (!value(out.arguments, 0) || !separated(')')) return false;
    }
    out.arguments += '}';
    return true;
  }

  bool value(std::string& out, int32_t depth) {
    if (depth == JsonScanner::kMaxDepth) return false;
    switch (peek()) {
      case '"':
      case '\'': return string(out);
      case '[': return items(']', out, depth);
      case '(': return items(')', out, depth);
      case '{': return members(out, depth);
      default: return scalar(out);
    }
  }

  // A list or a tuple.
  bool items(char close, std::string& out, int32_t depth) {
    ++at_;
    out += '[';
    for (bool first = true; !take(close); first = false) {
      if (!first) out += ", ";
      if (!value(out, depth + 1) || !separated(close)) return false;
    }
    out += ']';
    return true;
  }

  bool members(std::string& out, int32_t depth) {
    ++at_;
    out += '{';
    for (bool first = true; !take('}'); first = false) {
      if (!first) out += ", ";
      if (peek() != '"' && peek() != '\'') return false;
      if (!string(out) || !take(':')) return false;
      out += ": ";
      if (!value(out, depth + 1) || !separated('}')) return false;
    }
    out += '}';
    return true;
  }

  bool scalar(std::string& out) {
    using Word = std::array<std::string_view, 2>;  // as Python and JSON say it; models mix them up
    static constexpr Word kWords[] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};
    const std::string_view text =
        word(+[](char c) { return is_tool_name_byte(c) || c == '+' || c == '.'; });
    for (const auto& spellings : kWords) {
      if (std::ranges::find(spellings, text) == spellings.end()) continue;
      out += spellings[1];
      return true;
    }
    if (text.empty() || !is_json_number(text)) return false;
    out += text;
    return true;
  }

  bool string(std::string& out) {
    const char quote = text_[at_++];
    out += '"';
    while (at_ < text_.size() && text_[at_] != quote) {
      const char c = text_[at_++];
      if (c == '\n') return false;
      if (c != '\\') {
        append_json_byte(c, out);
      } else if (!escape(out)) {
        return false;
      }
    }
    if (at_ == text_.size()) return false;
    ++at_;
    out += '"';
    return true;
  }

  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "bfnrt\"\\'", kBytes = "\b\f\n\r\t\"\\'";
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (const size_t which = kLetters.find(c); which != std::string_view::npos) {
      append_json_byte(kBytes[which], out);
      return true;
    }
    if (c == '\n') return true;  // the line goes on
    if (c == 'x') return code(2, out);
    if (c == 'u') return code(4, out);
    if (c == 'U') return code(8, out);
    append_json_byte('\\', out);  // Python leaves what it does not know
    append_json_byte(c, out);
    return true;
  }

  // A character by its hexadecimal code.
  bool code(size_t digits, std::string& out) {
    const std::string_view hex = text_.substr(at_, digits);
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (hex.size() < digits || error != std::errc() || end != hex.data() + digits || surrogate ||
        code > 0x10FFFF) {
      return false;
    }
    at_ += digits;
    std::string bytes;
    jinja::append_character(code, bytes);
    for (const char byte : bytes) append_json_byte(byte, out);
    return true;
  }

  const std::string_view text_;
  const std::span<const std::string> tools_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<ToolCall>> read_python_calls(std::string_view text,
                                                       std::span<const std::string> tools) {
  std::vector<ToolCall> calls;
  if (!PythonReader(text, tools).calls(calls)) return std::nullopt;
  return calls;
}

PythonListScanner::Status PythonListScanner::push(char c) {
  if (quote_ != '\0') {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == quote_) {
      quote_ = '\0';
    }
    return Status::kMore;
  }
  if (depth_ == 0 && c != '[') return Status::kFailed;
  if (depth_ == 1 && !has_call_) {
    has_call_ = c == '(';
    if (!has_call_ && !is_tool_name_byte(c) && !is_json_space(c)) return Status::kFailed;
  }
  if (c == '"' || c == '\'') quote_ = c;
  if (c == '[' || c == '(' || c == '{') ++depth_;
  if (c == ']' || c == ')' || c == '}') --depth_;
  if (depth_ > kMaxDepth) return Status::kFailed;
  return depth_ == 0 ? Status::kDone : Status::kMore;
}

}  // namespace quire
