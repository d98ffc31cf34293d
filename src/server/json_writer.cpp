#include "server/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/text.h"

namespace quire {
namespace {

// `text` is valid UTF-8.
void append_escaped(std::string& out, std::string_view text) {
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    }
  }
  out.append(text, copied);
}

}  // namespace

void JsonWriter::comma() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::open(char bracket) {
  comma();
  out_ += bracket;
  needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  string(name);
  out_ += ':';
  needs_comma_ = false;
}

void JsonWriter::string(std::string_view text) {
  comma();
  out_ += '"';
  if (is_valid_utf8(text)) {
    append_escaped(out_, text);
  } else {
    append_escaped(out_, replace_invalid_utf8(text));
  }
  out_ += '"';
}

void JsonWriter::integer(int64_t value) {
  comma();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  comma();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::number(float value) {
  if (!std::isfinite(value)) return null();
  comma();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::boolean(bool value) {
  comma();
  out_ += value ? "true" : "false";
}

void JsonWriter::null() {
  comma();
  out_ += "null";
}

}  // namespace quire
