// Writes JSON text to the end of a string. What comes out is always valid UTF-8: malformed bytes become
// U+FFFD. The caller keeps begins and ends in pairs and writes a key before each value of an object.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace quire {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void string(std::string_view text);
  void integer(int64_t value);
  // The shortest digits that read back as the same value; null if it is not finite, for which JSON has no
  // word.
  void number(double value);
  void number(float value);
  void boolean(bool value);
  void null();
  // A value that is JSON already.
  void raw(std::string_view json);

  // A key and its value.
  void field(std::string_view name, std::string_view text) { key(name), string(text); }
  void field(std::string_view name, const char* text) { key(name), string(text); }
  void field(std::string_view name, std::integral auto value) {
    key(name), integer(static_cast<int64_t>(value));
  }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }
  void null_field(std::string_view name) { key(name), null(); }

 private:
  void comma();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool needs_comma_ = false;  // a value stands before, in the same object or array
};

}  // namespace quire
