#include "chat/text_editing.h"

#include <algorithm>

#include "chat/characters.h"
#include "chat/python_text.h"

namespace quire::jinja {
namespace {

Expected<Value> checked(Rendering& rendering, MarkedText text) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  return Value::text(std::move(text));
}

Expected<Value> replace_nothing(Rendering& rendering, const MarkedText& text, const MarkedText& replacement,
                                int64_t count) {
  MarkedText out;
  size_t at = 0;
  for (int64_t done = 0; count < 0 || done < count; ++done) {
    if (!rendering.spend(1) || !rendering.fits(out.size() + replacement.size()))
      return rendering.exhausted();
    out.append(replacement);
    if (at == text.size()) return checked(rendering, std::move(out));
    const size_t end = at + character_at(text.bytes(), at).length;
    out.append(text, at, end);
    at = end;
  }
  out.append(text, at, text.size());
  return checked(rendering, std::move(out));
}

// Collects the pieces of a split; each piece costs a step.
class Pieces {
 public:
  Pieces(Rendering& rendering, const MarkedText& text) : rendering_(rendering), text_(text) {}

  bool add(size_t begin, size_t end) {
    if (!rendering_.spend(1)) return false;
    pieces_.push_back(Value::text(text_.slice(begin, end)));
    return true;
  }
  Expected<Value> finish(bool reversed = false) {
    if (reversed) std::reverse(pieces_.begin(), pieces_.end());
    return Value::array(std::move(pieces_));
  }

 private:
  Rendering& rendering_;
  const MarkedText& text_;
  std::vector<Value> pieces_;
};

Expected<Value> split_words(Rendering& rendering, const MarkedText& text, int64_t max_splits) {
  Pieces pieces(rendering, text);
  const std::string_view bytes = text.bytes();
  size_t at = stripped(bytes, Side::kLeft).begin;
  for (int64_t done = 0; at < bytes.size(); ++done) {
    size_t end = at;
    if (max_splits >= 0 && done == max_splits) {
      end = bytes.size();  // the rest as it is, with the white space at its end
    } else {
      while (end < bytes.size() && !is_space(character_at(bytes, end).code))
        end += character_at(bytes, end).length;
    }
    if (!pieces.add(at, end)) return rendering.exhausted();
    at = end + stripped(bytes.substr(end), Side::kLeft).begin;
  }
  return pieces.finish();
}

Expected<Value> split_words_from_right(Rendering& rendering, const MarkedText& text, int64_t max_splits) {
  Pieces pieces(rendering, text);
  const std::string_view bytes = text.bytes();
  size_t end = stripped(bytes, Side::kRight).end;
  for (int64_t done = 0; end > 0; ++done) {
    size_t begin = end;
    if (max_splits >= 0 && done == max_splits) {
      begin = 0;
    } else {
      while (begin > 0) {
        const size_t before = character_before(bytes, begin);
        if (is_space(character_at(bytes, before).code)) break;
        begin = before;
      }
    }
    if (!pieces.add(begin, end)) return rendering.exhausted();
    end = stripped(bytes.substr(0, begin), Side::kRight).end;
  }
  return pieces.finish(true);
}

bool ends_line(char32_t code) {
  return (code >= 10 && code <= 13) || (code >= 28 && code <= 30) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

}  // namespace

Expected<Value> upper(Rendering& rendering, const MarkedText& text) {
  return checked(rendering, map_pieces(text, to_upper));
}

Expected<Value> lower(Rendering& rendering, const MarkedText& text) {
  return checked(rendering, map_pieces(text, to_lower));
}

Expected<Value> capitalize(Rendering& rendering, const MarkedText& text) {
  if (text.empty()) return Value::text(text);
  const size_t first = character_at(text.bytes(), 0).length;
  MarkedText out = map_pieces(text.slice(0, first), to_upper);
  out.append(map_pieces(text.slice(first, text.size()), to_lower));
  return checked(rendering, std::move(out));
}

Expected<Value> replace(Rendering& rendering, const MarkedText& text, const MarkedText& old,
                        const MarkedText& replacement, int64_t count) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  if (old.empty()) return replace_nothing(rendering, text, replacement, count);
  MarkedText out;
  size_t at = 0;
  for (int64_t done = 0; count < 0 || done < count; ++done) {
    const size_t found = find_bytes(text.bytes(), old.bytes(), at);
    if (found == std::string_view::npos) break;
    out.append(text, at, found);
    if (!rendering.spend(1) || !rendering.fits(out.size() + replacement.size()))
      return rendering.exhausted();
    out.append(replacement);
    at = found + old.size();
  }
  out.append(text, at, text.size());
  return checked(rendering, std::move(out));
}

Expected<Value> split(Rendering& rendering, const MarkedText& text, const MarkedText* separator,
                      int64_t max_splits) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  if (separator == nullptr) return split_words(rendering, text, max_splits);
  if (separator->empty()) return fail(ErrorCode::kInvalidArgument, "an empty separator");
  Pieces pieces(rendering, text);
  size_t at = 0;
  for (int64_t done = 0; max_splits < 0 || done < max_splits; ++done) {
    const size_t found = find_bytes(text.bytes(), separator->bytes(), at);
    if (found == std::string_view::npos) break;
    if (!pieces.add(at, found)) return rendering.exhausted();
    at = found + separator->size();
  }
  if (!pieces.add(at, text.size())) return rendering.exhausted();
  return pieces.finish();
}

Expected<Value> split_from_right(Rendering& rendering, const MarkedText& text, const MarkedText* separator,
                                 int64_t max_splits) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  if (separator == nullptr) return split_words_from_right(rendering, text, max_splits);
  if (separator->empty()) return fail(ErrorCode::kInvalidArgument, "an empty separator");
  // Matches are looked for in the mirror image, where they come in the order that they are wanted in.
  const std::string mirror(text.bytes().rbegin(), text.bytes().rend());
  const std::string mirrored_separator(separator->bytes().rbegin(), separator->bytes().rend());
  Pieces pieces(rendering, text);
  size_t at = 0;
  for (int64_t done = 0; max_splits < 0 || done < max_splits; ++done) {
    const size_t found = find_bytes(mirror, mirrored_separator, at);
    if (found == std::string_view::npos) break;
    if (!pieces.add(text.size() - found, text.size() - at)) return rendering.exhausted();
    at = found + separator->size();
  }
  if (!pieces.add(0, text.size() - at)) return rendering.exhausted();
  return pieces.finish(true);
}

Expected<Value> split_lines(Rendering& rendering, const MarkedText& text, bool keep_ends) {
  if (!rendering.spend_bytes(text.size())) return rendering.exhausted();
  Pieces pieces(rendering, text);
  const std::string_view bytes = text.bytes();
  size_t begin = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    const size_t line_end = at;
    at += character.length;
    if (!ends_line(character.code)) continue;
    if (character.code == '\r' && at < bytes.size() && bytes[at] == '\n') ++at;
    if (!pieces.add(begin, keep_ends ? at : line_end)) return rendering.exhausted();
    begin = at;
  }
  if (begin < bytes.size() && !pieces.add(begin, bytes.size())) return rendering.exhausted();
  return pieces.finish();
}

Expected<Value> join(Rendering& rendering, const MarkedText& separator, std::span<const Value> items,
                     bool convert) {
  MarkedText out;
  bool first = true;
  for (const Value& item : items) {
    if (!rendering.spend(1) || !rendering.spend_bytes(separator.size())) return rendering.exhausted();
    if (!first) out.append(separator);
    first = false;
    if (!convert && !item.is_string()) {
      return fail(ErrorCode::kInvalidArgument, "join() takes strings, not {}", type_name(item));
    }
    if (auto ok = append_str(rendering, item, out); !ok) return pass(ok);
  }
  return Value::text(std::move(out));
}

Expected<Value> pad(Rendering& rendering, const MarkedText& text, int64_t width, Align align,
                    const MarkedText& fill) {
  if (count_characters(fill.bytes()) != 1)
    return fail(ErrorCode::kInvalidArgument, "the fill must be one character");
  const auto length = static_cast<int64_t>(count_characters(text.bytes()));
  const int64_t missing = std::max<int64_t>(width - length, 0);
  if (missing > rendering.limits().max_output_bytes || !rendering.spend(static_cast<size_t>(missing))) {
    return rendering.exhausted();
  }
  // Where the fill cannot be the same on both sides, Python puts the odd one to the left for an odd width.
  int64_t left = align == Align::kLeft ? 0 : missing;
  if (align == Align::kCenter) left = missing / 2 + (missing & width & 1);
  MarkedText out;
  for (int64_t i = 0; i < left; ++i) out.append(fill);
  out.append(text);
  for (int64_t i = left; i < missing; ++i) out.append(fill);
  return checked(rendering, std::move(out));
}

}  // namespace quire::jinja
