// The methods of strings: Python's, those that chat templates use.
#include <algorithm>
#include <array>

#include "chat/access.h"
#include "chat/builtin_tables.h"
#include "chat/characters.h"
#include "chat/format_text.h"
#include "chat/parameters.h"
#include "chat/python_text.h"
#include "chat/text_editing.h"

namespace quire::jinja {
namespace {

using Result = Expected<Value>;

Result run_upper(Rendering& rendering, const Value& self, const Arguments&) {
  return upper(rendering, self.as_text());
}
Result run_lower(Rendering& rendering, const Value& self, const Arguments&) {
  return lower(rendering, self.as_text());
}
Result run_capitalize(Rendering& rendering, const Value& self, const Arguments&) {
  return capitalize(rendering, self.as_text());
}

// Upper case for a letter after what is no letter, lower case for the others.
Result run_title(Rendering& rendering, const Value& self, const Arguments&) {
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  bool after_letter = false;
  return Value::text(map_pieces(self.as_text(), [&after_letter](std::string_view piece) {
    std::string out;
    for (size_t at = 0; at < piece.size();) {
      const Character character = character_at(piece, at);
      const std::string_view bytes = piece.substr(at, character.length);
      out += after_letter ? to_lower(bytes) : to_upper(bytes);
      after_letter = is_letter(character.code);
      at += character.length;
    }
    return out;
  }));
}

template <Side side>
Result run_strip(Rendering& rendering, const Value& self, const Arguments& arguments) {
  constexpr size_t kMaxSet = 256;  // each character at the ends is looked up in the whole set
  const MarkedText& text = self.as_text();
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  std::string_view set;
  if (is_given(arguments[0])) {
    const auto given = read_text(arguments[0], "chars");
    if (!given) return std::unexpected(given.error());
    set = (*given)->bytes();
    if (set.size() > kMaxSet)
      return fail(ErrorCode::kUnsupported, "strip() takes at most {} bytes", kMaxSet);
  }
  const ByteRange range = stripped(text.bytes(), side, is_given(arguments[0]) ? &set : nullptr);
  return Value::text(text.slice(range.begin, range.end));
}

template <bool from_right>
Result run_split(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const MarkedText* separator = nullptr;
  if (is_given(arguments[0])) {
    const auto given = read_text(arguments[0], "sep");
    if (!given) return std::unexpected(given.error());
    separator = *given;
  }
  const auto max_splits = read_integer(arguments[1], "maxsplit", -1);
  if (!max_splits) return std::unexpected(max_splits.error());
  return (from_right ? split_from_right : split)(rendering, self.as_text(), separator, *max_splits);
}

Result run_split_lines(Rendering& rendering, const Value& self, const Arguments& arguments) {
  return split_lines(rendering, self.as_text(), read_flag(arguments[0]));
}

// What is before the separator, the separator, what is after; all of it in one part if there is none.
template <bool from_right>
Result run_partition(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto separator = read_text(arguments[0], "sep");
  if (!separator) return std::unexpected(separator.error());
  const MarkedText& text = self.as_text();
  if ((*separator)->empty()) return fail(ErrorCode::kInvalidArgument, "an empty separator");
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  const size_t at = from_right ? rfind_bytes(text.bytes(), (*separator)->bytes())
                               : find_bytes(text.bytes(), (*separator)->bytes(), 0);
  if (at == std::string_view::npos) {
    const Value empty = Value::string("");
    return from_right ? Value::tuple({empty, empty, self}) : Value::tuple({self, empty, empty});
  }
  const size_t end = at + (*separator)->size();
  return Value::tuple({Value::text(text.slice(0, at)), Value::text(**separator),
                       Value::text(text.slice(end, text.size()))});
}

// The bytes of [begin, end) in characters, as the optional arguments `first` and `first` + 1 say.
Expected<ByteRange> read_range(const MarkedText& text, const Arguments& arguments, size_t first) {
  const auto length = static_cast<int64_t>(count_characters(text.bytes()));
  const auto begin = read_integer(arguments[first], "start", 0);
  const auto end = read_integer(arguments[first + 1], "end", length);
  if (!begin) return std::unexpected(begin.error());
  if (!end) return std::unexpected(end.error());
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + length : at, 0, length); };
  if (*begin > length)
    return ByteRange{text.size() + 1, text.size()};  // not even an empty text is found here
  return ByteRange{byte_offset(text.bytes(), static_cast<size_t>(place(*begin))),
                   byte_offset(text.bytes(), static_cast<size_t>(place(*end)))};
}

// The byte where the argument is found within the range that the others give, or npos.
Expected<size_t> find_argument(Rendering& rendering, const Value& self, const Arguments& arguments,
                               bool from_right) {
  const auto needle = read_text(arguments[0], "sub");
  if (!needle) return std::unexpected(needle.error());
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  const auto range = read_range(self.as_text(), arguments, 1);
  if (!range) return std::unexpected(range.error());
  if (range->begin > range->end) return std::string_view::npos;
  const std::string_view within =
      std::string_view(self.as_bytes()).substr(range->begin, range->end - range->begin);
  if ((*needle)->empty()) return from_right ? range->end : range->begin;
  const size_t at =
      from_right ? rfind_bytes(within, (*needle)->bytes()) : find_bytes(within, (*needle)->bytes(), 0);
  return at == std::string_view::npos ? at : range->begin + at;
}

template <bool from_right, bool must_exist>
Result run_find(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto at = find_argument(rendering, self, arguments, from_right);
  if (!at) return std::unexpected(at.error());
  if (*at == std::string_view::npos) {
    if (must_exist) return fail(ErrorCode::kInvalidArgument, "index(): the text is not there");
    return Value::integer(-1);
  }
  return Value::integer(
      static_cast<int64_t>(count_characters(std::string_view(self.as_bytes()).substr(0, *at))));
}

Result run_count(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto needle = read_text(arguments[0], "sub");
  if (!needle) return std::unexpected(needle.error());
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  const auto range = read_range(self.as_text(), arguments, 1);
  if (!range) return std::unexpected(range.error());
  if (range->begin > range->end) return Value::integer(0);
  const std::string_view within =
      std::string_view(self.as_bytes()).substr(range->begin, range->end - range->begin);
  if ((*needle)->empty()) return Value::integer(static_cast<int64_t>(count_characters(within)) + 1);
  int64_t count = 0;
  for (size_t at = 0; (at = find_bytes(within, (*needle)->bytes(), at)) != std::string_view::npos;
       ++count) {
    at += (*needle)->size();
  }
  return Value::integer(count);
}

// startswith and endswith take one text or a tuple of them.
template <bool at_end>
Result run_has_affix(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const Value& affix = *arguments[0];
  const auto candidates =
      affix.is_array_of(Value::ArrayKind::kTuple) ? affix.items() : std::span(&affix, 1);
  const auto range = read_range(self.as_text(), arguments, 1);
  if (!range) return std::unexpected(range.error());
  if (range->begin > range->end) return Value::boolean(false);
  const std::string_view within =
      std::string_view(self.as_bytes()).substr(range->begin, range->end - range->begin);
  for (const Value& candidate : candidates) {
    const auto text = read_text(&candidate, at_end ? "suffix" : "prefix");
    if (!text) return std::unexpected(text.error());
    if (!rendering.spend(1) || !rendering.spend_bytes((*text)->size())) return rendering.exhausted();
    if (at_end ? within.ends_with((*text)->bytes()) : within.starts_with((*text)->bytes()))
      return Value::boolean(true);
  }
  return Value::boolean(false);
}

Result run_replace(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto old = read_text(arguments[0], "old"), replacement = read_text(arguments[1], "new");
  const auto count = read_integer(arguments[2], "count", -1);
  if (!old) return std::unexpected(old.error());
  if (!replacement) return std::unexpected(replacement.error());
  if (!count) return std::unexpected(count.error());
  return replace(rendering, self.as_text(), **old, **replacement, *count);
}

Result run_join(Rendering& rendering, const Value& self, const Arguments& arguments) {
  auto items = items_of(rendering, *arguments[0]);
  if (!items) return items;
  return join(rendering, self.as_text(), items->items(), false);
}

Result run_format(Rendering& rendering, const Value& self, const Arguments& arguments) {
  return format_braces(rendering, self.as_text(), arguments);
}

template <bool at_end>
Result run_remove_affix(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto affix = read_text(arguments[0], "affix");
  if (!affix) return std::unexpected(affix.error());
  const MarkedText& text = self.as_text();
  const size_t size = (*affix)->size();
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  if (at_end && text.bytes().ends_with((*affix)->bytes()))
    return Value::text(text.slice(0, text.size() - size));
  if (!at_end && text.bytes().starts_with((*affix)->bytes()))
    return Value::text(text.slice(size, text.size()));
  return self;
}

template <Align align>
Result run_pad(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto width = read_integer(arguments[0], "width", 0);
  if (!width) return std::unexpected(width.error());
  const MarkedText space(" ");
  const auto fill = is_given(arguments[1]) ? read_text(arguments[1], "fillchar") : &space;
  if (!fill) return std::unexpected(fill.error());
  return pad(rendering, self.as_text(), *width, align, **fill);
}

Result run_zfill(Rendering& rendering, const Value& self, const Arguments& arguments) {
  const auto width = read_integer(arguments[0], "width", 0);
  if (!width) return std::unexpected(width.error());
  const MarkedText& text = self.as_text();
  const bool has_sign = text.bytes().starts_with('-') || text.bytes().starts_with('+');
  auto digits = pad(rendering, text.slice(has_sign, text.size()), std::max<int64_t>(*width, 0) - has_sign,
                    Align::kRight, MarkedText("0"));
  if (!digits || !has_sign) return digits;
  MarkedText out = text.slice(0, 1);
  out.append(digits->as_text());
  return Value::text(std::move(out));
}

// Whether there are characters and `check` holds for all of them.
template <bool (*check)(char32_t)>
Result run_all(Rendering& rendering, const Value& self, const Arguments&) {
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  const std::string_view bytes = self.as_bytes();
  for (size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    if (!check(character.code)) return Value::boolean(false);
    at += character.length;
  }
  return Value::boolean(!bytes.empty());
}

bool is_letter_or_digit(char32_t code) { return is_letter(code) || is_digit(code); }

template <bool want_upper>
Result run_is_case(Rendering& rendering, const Value& self, const Arguments&) {
  if (!rendering.spend_bytes(self.as_text().size())) return rendering.exhausted();
  return Value::boolean(has_case(self.as_bytes(), want_upper));
}

constexpr Builtin kMethods[] = {
    {"capitalize", "", 0, run_capitalize},
    {"casefold", "", 0, run_lower},
    {"center", "width fillchar", 1, run_pad<Align::kCenter>},
    {"count", "sub start end", 1, run_count},
    {"endswith", "suffix start end", 1, run_has_affix<true>},
    {"find", "sub start end", 1, run_find<false, false>},
    {"format", "*", 0, run_format},
    {"index", "sub start end", 1, run_find<false, true>},
    {"isalnum", "", 0, run_all<is_letter_or_digit>},
    {"isalpha", "", 0, run_all<is_letter>},
    {"isdecimal", "", 0, run_all<is_digit>},
    {"isdigit", "", 0, run_all<is_digit>},
    {"islower", "", 0, run_is_case<false>},
    {"isnumeric", "", 0, run_all<is_digit>},
    {"isspace", "", 0, run_all<is_space>},
    {"isupper", "", 0, run_is_case<true>},
    {"join", "iterable", 1, run_join},
    {"ljust", "width fillchar", 1, run_pad<Align::kLeft>},
    {"lower", "", 0, run_lower},
    {"lstrip", "chars", 0, run_strip<Side::kLeft>},
    {"partition", "sep", 1, run_partition<false>},
    {"removeprefix", "prefix", 1, run_remove_affix<false>},
    {"removesuffix", "suffix", 1, run_remove_affix<true>},
    {"replace", "old new count", 2, run_replace},
    {"rfind", "sub start end", 1, run_find<true, false>},
    {"rindex", "sub start end", 1, run_find<true, true>},
    {"rjust", "width fillchar", 1, run_pad<Align::kRight>},
    {"rpartition", "sep", 1, run_partition<true>},
    {"rsplit", "sep maxsplit", 0, run_split<true>},
    {"rstrip", "chars", 0, run_strip<Side::kRight>},
    {"split", "sep maxsplit", 0, run_split<false>},
    {"splitlines", "keepends", 0, run_split_lines},
    {"startswith", "prefix start end", 1, run_has_affix<false>},
    {"strip", "chars", 0, run_strip<Side::kBoth>},
    {"title", "", 0, run_title},
    {"upper", "", 0, run_upper},
    {"zfill", "width", 1, run_zfill},
};

}  // namespace

std::span<const Builtin> string_methods() { return kMethods; }

}  // namespace quire::jinja
