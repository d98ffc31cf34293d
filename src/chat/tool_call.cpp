#include "chat/tool_call.h"

#include <algorithm>

namespace quire {
namespace {

// Walks JSON that is known to be well formed.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view json) : json_(json) {}

  // The next byte that is no white space; '\0' at the end.
  char peek() {
    at_ = std::min(json_.find_first_not_of(" \n\r\t", at_), json_.size());
    return at_ < json_.size() ? json_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  // The text of the next value (or key), which is taken.
  std::string_view value() {
    const char first = peek();
    const size_t begin = at_;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_container();
    } else {
      at_ = std::min(json_.find_first_of(",]} \n\r\t", at_), json_.size());
    }
    return json_.substr(begin, at_ - begin);
  }

 private:
  void skip_string() {
    for (++at_; at_ < json_.size() && json_[at_] != '"'; ++at_) at_ += json_[at_] == '\\' ? 1 : 0;
    ++at_;
  }
  void skip_container() {
    int32_t depth = 0;
    do {
      const char c = json_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && at_ < json_.size());
  }

  std::string_view json_;
  size_t at_ = 0;
};

std::string_view unquoted(std::string_view string) { return string.substr(1, string.size() - 2); }

bool has_name(std::span<const std::string> tools, std::string_view name) {
  return std::ranges::find(tools, name) != tools.end();
}

std::optional<ToolCall> read_json_call(std::string_view object, std::span<const std::string> tools) {
  JsonWalk walk(object);
  if (!walk.take('{')) return std::nullopt;
  std::string_view name, arguments = "{}";
  while (!walk.take('}')) {
    const std::string_view key = unquoted(walk.value());
    walk.take(':');
    const std::string_view value = walk.value();
    walk.take(',');
    if (key == "name") name = value;
    if ((key == "arguments" || key == "parameters") && value != "null") arguments = value;
  }
  if (!name.starts_with('"') || !has_name(tools, unquoted(name)) || !arguments.starts_with('{')) {
    return std::nullopt;
  }
  return ToolCall{std::string(unquoted(name)), std::string(arguments)};
}

}  // namespace

bool is_tool_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

bool is_tool_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToolNameBytes && std::ranges::all_of(text, is_tool_name_byte);
}

std::optional<std::vector<ToolCall>> read_json_calls(std::string_view json,
                                                     std::span<const std::string> tools) {
  JsonWalk walk(json);
  std::vector<ToolCall> calls;
  const bool is_array = walk.take('[');
  while (!(is_array ? walk.take(']') : walk.peek() == '\0')) {
    auto call = read_json_call(walk.value(), tools);
    if (!call) return std::nullopt;
    calls.push_back(std::move(*call));
    walk.take(',');
  }
  if (calls.empty()) return std::nullopt;
  return calls;
}

}  // namespace quire
