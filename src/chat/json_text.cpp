#include "chat/json_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "chat/characters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

void append_escaped(std::string_view piece, bool ensure_ascii, std::string& out) {
  for (size_t at = 0; at < piece.size();) {
    const Character character = character_at(piece, at);
    const auto code = static_cast<uint32_t>(character.code);
    switch (code) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (code < 0x20 || (ensure_ascii && code >= 0x7F && code < 0x10000)) {
          out += code == 0x7F ? "\x7F" : fmt::format("\\u{:04x}", code);
        } else if (ensure_ascii && code >= 0x10000) {
          const uint32_t rest = code - 0x10000;
          out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
        } else {
          out.append(piece, at, character.length);
        }
    }
    at += character.length;
  }
}

class JsonWriter {
 public:
  JsonWriter(Rendering& rendering, const JsonLayout& layout, MarkedText& out)
      : rendering_(rendering), layout_(layout), out_(out) {}

  Expected<> write(const Value& value) {
    if (!rendering_.spend(1) || !rendering_.fits(out_.size())) return rendering_.exhausted();
    switch (value.type()) {
      case Value::Type::kNull: put("null"); return {};
      case Value::Type::kBoolean: put(value.as_boolean() ? "true" : "false"); return {};
      case Value::Type::kInteger: put(std::to_string(value.as_integer())); return {};
      case Value::Type::kNumber: put(number(value.as_number())); return {};
      case Value::Type::kString: return write_text(value.as_text());
      case Value::Type::kObject: return write_object(value);
      case Value::Type::kArray:
        if (value.array_kind() == Value::ArrayKind::kList ||
            value.array_kind() == Value::ArrayKind::kTuple) {
          return write_array(value);
        }
        break;
      case Value::Type::kUndefined:
      case Value::Type::kTemplateObject: break;
    }
    return fail(ErrorCode::kInvalidArgument, "tojson cannot write a value of type {}", type_name(value));
  }

 private:
  void put(std::string_view bytes) { out_.append(bytes, false); }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_repr(value);
  }

  Expected<> write_text(const MarkedText& text) {
    if (!rendering_.spend_bytes(text.size())) return rendering_.exhausted();
    put("\"");
    out_.append(map_pieces(text, [this](std::string_view piece) {
      std::string escaped;
      append_escaped(piece, layout_.ensure_ascii, escaped);
      return escaped;
    }));
    put("\"");
    return {};
  }

  Expected<> new_line() {
    if (!layout_.indent) return {};
    if (!rendering_.spend_bytes(layout_.indent->size() * static_cast<size_t>(level_) + 1)) {
      return rendering_.exhausted();
    }
    put("\n");
    for (int i = 0; i < level_; ++i) put(*layout_.indent);
    if (!rendering_.fits(out_.size())) return rendering_.exhausted();
    return {};
  }

  Expected<> write_array(const Value& value) {
    if (value.items().empty()) return put("[]"), Expected<>();
    put("[");
    ++level_;
    bool first = true;
    for (const Value& item : value.items()) {
      if (!first) put(layout_.item_separator);
      first = false;
      if (auto ok = new_line(); !ok) return ok;
      if (auto ok = write(item); !ok) return ok;
    }
    --level_;
    if (auto ok = new_line(); !ok) return ok;
    put("]");
    return {};
  }

  Expected<> write_key(const Value& key) {
    if (key.is_string()) return write_text(key.as_text());
    if (key.is_array()) return fail(ErrorCode::kInvalidArgument, "tojson cannot write a tuple as a key");
    put("\"");
    auto ok = write(key);
    put("\"");
    return ok;
  }

  Expected<> write_object(const Value& value) {
    if (value.members().empty()) return put("{}"), Expected<>();
    std::vector<const Value::Member*> members;
    for (const auto& member : value.members()) members.push_back(&member);
    if (layout_.sort_keys) {
      for (const auto* member : members) {
        if (!member->key.is_string()) {
          return fail(ErrorCode::kUnsupported, "tojson sorts keys only where all are strings");
        }
      }
      if (!rendering_.spend_items(members.size() * 16)) return rendering_.exhausted();
      std::stable_sort(members.begin(), members.end(),
                       [](const auto* a, const auto* b) { return a->key.as_bytes() < b->key.as_bytes(); });
    }
    put("{");
    ++level_;
    bool first = true;
    for (const auto* member : members) {
      if (!first) put(layout_.item_separator);
      first = false;
      if (auto ok = new_line(); !ok) return ok;
      if (auto ok = write_key(member->key); !ok) return ok;
      put(layout_.key_separator);
      if (auto ok = write(member->value); !ok) return ok;
    }
    --level_;
    if (auto ok = new_line(); !ok) return ok;
    put("}");
    return {};
  }

  Rendering& rendering_;
  const JsonLayout& layout_;
  MarkedText& out_;
  int level_ = 0;
};

}  // namespace

Expected<> append_json(Rendering& rendering, const Value& value, const JsonLayout& layout,
                       MarkedText& out) {
  return JsonWriter(rendering, layout, out).write(value);
}

}  // namespace quire::jinja
