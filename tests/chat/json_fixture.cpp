#include "tests/chat/json_fixture.h"

#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "chat/characters.h"

namespace quire::test {
namespace {

class JsonReader {
 public:
  JsonReader(std::string_view json, bool as_user_text) : json_(json), as_user_text_(as_user_text) {}

  Value document() {
    Value value = read();
    skip_space();
    EXPECT_EQ(at_, json_.size()) << "text after a JSON value";
    return value;
  }

 private:
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') ++at_;
  }
  bool take(std::string_view word) {
    skip_space();
    if (!json_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Value read() {
    if (take("null")) return Value::null();
    if (take("true")) return Value::boolean(true);
    if (take("false")) return Value::boolean(false);
    if (peek() == '"') return string_value();
    if (take("[")) return array();
    if (take("{")) return object();
    return number();
  }

  Value array() {
    Value value = Value::array();
    if (take("]")) return value;
    do {
      value.push_back(read());
    } while (take(","));
    EXPECT_TRUE(take("]"));
    return value;
  }

  Value object() {
    Value value = Value::object();
    if (take("}")) return value;
    do {
      skip_space();
      Value key = string_value();
      EXPECT_TRUE(take(":"));
      value.set(std::move(key), read());
    } while (take(","));
    EXPECT_TRUE(take("}"));
    return value;
  }

  Value number() {
    const size_t end = json_.find_first_not_of("+-.0123456789eE", at_);
    const std::string_view text = json_.substr(at_, end - at_);
    EXPECT_FALSE(text.empty()) << "no JSON value at " << at_;
    at_ += text.size();
    if (text.find_first_of(".eE") != std::string_view::npos) {
      double number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return Value::number(number);
    }
    int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return Value::integer(number);
  }

  uint32_t code_unit() {
    uint32_t code = 0;
    std::from_chars(json_.data() + at_, json_.data() + at_ + 4, code, 16);
    at_ += 4;
    return code;
  }

  Value string_value() {
    EXPECT_EQ(peek(), '"');
    ++at_;
    std::string out;
    while (at_ < json_.size() && json_[at_] != '"') {
      if (json_[at_] != '\\') {
        out += json_[at_++];
        continue;
      }
      const char c = json_[at_ + 1];
      at_ += 2;
      if (c == 'u') {
        uint32_t code = code_unit();
        if (code >= 0xD800 && code < 0xDC00) {
          at_ += 2;  // the \u of the other half
          code = 0x10000 + ((code - 0xD800) << 10) + (code_unit() - 0xDC00);
        }
        jinja::append_character(code, out);
      } else {
        constexpr std::string_view kNames = "bfnrt\"\\/", kBytes = "\b\f\n\r\t\"\\/";
        out += kBytes[kNames.find(c)];
      }
    }
    ++at_;
    return as_user_text_ ? Value::user_text(std::move(out)) : Value::string(std::move(out));
  }

  const std::string_view json_;
  const bool as_user_text_;
  size_t at_ = 0;
};

}  // namespace

Value read_json(std::string_view json, bool as_user_text) {
  return JsonReader(json, as_user_text).document();
}

Value as_user_text(const Value& value) {
  if (value.is_string()) return Value::user_text(value.as_bytes());
  if (value.is_array()) {
    Value marked = Value::array();
    for (const Value& item : value.items()) marked.push_back(as_user_text(item));
    return marked;
  }
  if (value.is_object()) {
    Value marked = Value::object();
    for (const auto& [key, member] : value.members()) marked.set(as_user_text(key), as_user_text(member));
    return marked;
  }
  return value;
}

std::string read_file(const std::string& path, size_t limit) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << "cannot read " << path;
  std::string bytes;
  if (limit == std::string::npos) {
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
  }
  bytes.resize(limit);
  file.read(bytes.data(), static_cast<std::streamsize>(limit));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(std::move(line));
  return lines;
}

}  // namespace quire::test
