// The filters that take a text; other values are turned into one by str() first, as Jinja does.
#include <algorithm>

#include "chat/access.h"
#include "chat/arithmetic.h"
#include "chat/builtin_tables.h"
#include "chat/characters.h"
#include "chat/comparison.h"
#include "chat/format_text.h"
#include "chat/parameters.h"
#include "chat/python_text.h"
#include "chat/text_editing.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

// A filter on str(self).
template <Result (*edit)(Rendering&, const MarkedText&)>
Result run_on_text(Rendering& rendering, const Value& self, const Arguments&) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  return edit(rendering, text->as_text());
}

Result run_string(Rendering& rendering, const Value& self, const Arguments&) {
  return to_str(rendering, self);
}

Result run_trim(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  Arguments given;
  if (arguments[0] != nullptr) given.positional.push_back(*arguments[0]);
  bool refused = false;
  return call_builtin(rendering, *find_method(*text, "strip", refused), *text, std::move(given));
}

// Each word begins with a capital; words end at white space, - and opening brackets.
Result title(Rendering& rendering, const MarkedText& text) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  bool starts = true;
  return Value::text(map_pieces(text, [&starts](std::string_view piece) {
    std::string out;
    for (size_t at = 0; at < piece.size();) {
      const Character character = character_at(piece, at);
      const std::string_view bytes = piece.substr(at, character.length);
      const bool ends_word =
          is_space(character.code) || std::string_view("-({[<").find(bytes) != std::string::npos;
      out += starts ? to_upper(bytes) : to_lower(bytes);
      starts = ends_word;
      at += character.length;
    }
    return out;
  }));
}

Result escape(Rendering& rendering, const MarkedText& text) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  MarkedText out = map_pieces(text, [](std::string_view piece) {
    std::string escaped;
    for (const char c : piece) {
      switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&#34;"; break;
        case '\'': escaped += "&#39;"; break;
        default: escaped += c;
      }
    }
    return escaped;
  });
  if (!rendering.fits(out.size())) return rendering.exhausted();
  return Value::text(std::move(out));
}

Result run_replace(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self), old = to_str(rendering, *arguments[0]);
  const auto replacement = to_str(rendering, *arguments[1]);
  const auto count = read_integer(arguments[2], "count", -1);
  for (const auto* part : {&text, &old, &replacement}) {
    if (!*part) return *part;
  }
  if (!count) return std::unexpected(count.error());
  return replace(rendering, text->as_text(), old->as_text(), replacement->as_text(), *count);
}

Result run_indent(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  MarkedText margin;
  if (arguments[0] != nullptr && arguments[0]->is_string()) {
    margin = arguments[0]->as_text();
  } else {
    const auto width = read_integer(arguments[0], "width", 4);
    if (!width) return std::unexpected(width.error());
    if (*width > rendering.limits().max_output_bytes)
      return rendering.fits(SIZE_MAX), rendering.exhausted();
    margin = MarkedText(std::string(static_cast<size_t>(std::max<int64_t>(*width, 0)), ' '));
  }
  // A text without an end of line, or that ends in one, keeps its last line, even if that is empty.
  MarkedText with_newline = text->as_text();
  with_newline.append("\n", false);
  const auto lines = split_lines(rendering, with_newline, false);
  if (!lines) return lines;
  MarkedText out;
  for (size_t i = 0; i < lines->items().size(); ++i) {
    const MarkedText& line = lines->items()[i].as_text();
    const bool indents = i == 0 ? read_flag(arguments[1]) : read_flag(arguments[2]) || !line.empty();
    if (!rendering.spend_bytes(margin.size()) ||
        !rendering.fits(out.size() + margin.size() + line.size())) {
      return rendering.exhausted();
    }
    if (i > 0) out.append("\n", false);
    if (indents) out.append(margin);
    out.append(line);
  }
  return Value::text(std::move(out));
}

Result run_truncate(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  const auto length = read_integer(arguments[0], "length", 255),
             leeway = read_integer(arguments[3], "leeway", 5);
  if (!length) return std::unexpected(length.error());
  if (!leeway) return std::unexpected(leeway.error());
  const MarkedText dots("...");
  const auto end = is_given(arguments[2]) ? read_text(arguments[2], "end") : &dots;
  if (!end) return std::unexpected(end.error());
  const auto size = length_of(rendering, *text);
  if (!size) return std::unexpected(size.error());
  const auto end_size = static_cast<int64_t>(count_characters((*end)->bytes()));
  if (*length < end_size || *leeway < 0)
    return fail(ErrorCode::kInvalidArgument, "truncate(): the length is too short");
  if (*size - *length <= *leeway) return *text;
  const MarkedText& bytes = text->as_text();
  size_t keep = byte_offset(bytes.bytes(), static_cast<size_t>(*length - end_size));
  if (!read_flag(arguments[1])) {
    const size_t space = std::string_view(bytes.bytes()).substr(0, keep).rfind(' ');
    if (space != std::string_view::npos) keep = space;
  }
  MarkedText out = bytes.slice(0, keep);
  out.append(**end);
  return Value::text(std::move(out));
}

Result word_count(Rendering& rendering, const MarkedText& text) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  int64_t count = 0;
  bool in_word = false;
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text.bytes(), at);
    const bool is_part = is_letter(character.code) || is_digit(character.code) || character.code == '_';
    count += is_part && !in_word;
    in_word = is_part;
    at += character.length;
  }
  return Value::integer(count);
}

Result run_center(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  const auto width = read_integer(arguments[0], "width", 80);
  if (!width) return std::unexpected(width.error());
  return pad(rendering, text->as_text(), *width, Align::kCenter, MarkedText(" "));
}

Result run_format(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto text = to_str(rendering, self);
  if (!text) return text;
  if (arguments.named.empty())
    return format_percent(rendering, text->as_text(), Value::tuple(arguments.positional));
  if (!arguments.positional.empty()) {
    return fail(ErrorCode::kInvalidArgument, "format() takes values by place or by name, not both");
  }
  Value names = Value::object();
  for (const auto& [name, value] : arguments.named) names.set(name, value);
  return format_percent(rendering, text->as_text(), names);
}

constexpr Builtin kTextFilters[] = {
    {"capitalize", "", 0, run_on_text<capitalize>},
    {"center", "width", 0, run_center},
    {"e", "", 0, run_on_text<escape>},
    {"escape", "", 0, run_on_text<escape>},
    {"forceescape", "", 0, run_on_text<escape>},
    {"format", "*", 0, run_format},
    {"indent", "width first blank", 0, run_indent},
    {"lower", "", 0, run_on_text<lower>},
    {"replace", "old new count", 2, run_replace},
    {"safe", "", 0, run_string},
    {"string", "", 0, run_string},
    {"title", "", 0, run_on_text<title>},
    {"trim", "chars", 0, run_trim},
    {"truncate", "length killwords end leeway", 0, run_truncate},
    {"upper", "", 0, run_on_text<upper>},
    {"wordcount", "", 0, run_on_text<word_count>},
};

}  // namespace

std::span<const Builtin> text_filters() { return kTextFilters; }

}  // namespace quire::jinja
