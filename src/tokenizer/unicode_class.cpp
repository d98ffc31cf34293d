#include "tokenizer/unicode_class.h"

#include <utf8proc.h>

#include <map>
#include <vector>

namespace quire {
namespace {

constexpr char32_t kPageSize = 256;
// Unicode 15 has no letter, number or space from here on.
constexpr char32_t kTableEnd = 0x40000;

CharClass class_from_category(char32_t code) {
  // White_Space is the separators and these controls.
  if ((code >= 0x09 && code <= 0x0D) || code == 0x85) return CharClass::kSpace;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CharClass::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CharClass::kNumber;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return CharClass::kSpace;
    default: return CharClass::kOther;
  }
}

// Two levels: most pages are all letters or all something else, and equal pages are kept once.
class ClassTable {
 public:
  ClassTable() {
    std::map<Page, uint16_t> known;
    for (char32_t page = 0; page < kTableEnd / kPageSize; ++page) {
      Page classes;
      for (char32_t i = 0; i < kPageSize; ++i) classes[i] = class_from_category(page * kPageSize + i);
      const auto [entry, fresh] = known.try_emplace(classes, static_cast<uint16_t>(pages_.size()));
      if (fresh) pages_.push_back(classes);
      page_of_[page] = entry->second;
    }
  }

  CharClass operator[](char32_t code) const { return pages_[page_of_[code / kPageSize]][code % kPageSize]; }

 private:
  using Page = std::array<CharClass, kPageSize>;
  std::array<uint16_t, kTableEnd / kPageSize> page_of_;
  std::vector<Page> pages_;
};

}  // namespace

CharClass class_of(char32_t code) {
  static const ClassTable table;
  return code < kTableEnd ? table[code] : CharClass::kOther;
}

Character unicode_detail::multibyte_character(std::string_view text, size_t at) {
  constexpr Character kBad = {kMalformed, 1, CharClass::kOther};
  const uint8_t lead = static_cast<uint8_t>(text[at]);
  if (lead < 0xC2 || lead > 0xF4) return kBad;
  const uint8_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length > text.size() - at) return kBad;
  char32_t code = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[at + i]);
    if ((byte & 0xC0) != 0x80) return kBad;
    code = code << 6 | (byte & 0x3F);
  }
  const char32_t smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return kBad;
  return {code, length, class_of(code)};
}

}  // namespace quire
