#include "tokenizer/pre_tokenizer.h"

#include <array>
#include <utility>

#include "tokenizer/unicode_class.h"

namespace quire {
namespace {

// Other names are those under which GGUF files ask for the same rules.
constexpr std::array<std::pair<std::string_view, PreTokenizer>, 11> kNames{{
    {"gpt-2", PreTokenizer::kGpt2},
    {"phi-2", PreTokenizer::kGpt2},
    {"smollm", PreTokenizer::kSmollm},
    {"starcoder", PreTokenizer::kSmollm},
    {"refact", PreTokenizer::kSmollm},
    {"codeshell", PreTokenizer::kSmollm},
    {"llama-bpe", PreTokenizer::kLlamaBpe},
    {"llama3", PreTokenizer::kLlamaBpe},
    {"llama-v3", PreTokenizer::kLlamaBpe},
    {"qwen2", PreTokenizer::kQwen2},
    {"deepseek-r1-qwen", PreTokenizer::kQwen2},
}};

bool is_newline(char32_t code) { return code == '\r' || code == '\n'; }

// End of the run of characters of one class that covers `at`.
size_t end_of_run(std::string_view text, size_t at, CharClass char_class) {
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (next.char_class != char_class) break;
    at += next.length;
  }
  return at;
}

// Bytes of the English contraction that `text` starts with ('s 't 'm 'd 're 've 'll), or 0. text[0] is an
// apostrophe.
size_t contraction_length(std::string_view text, bool any_case) {
  const auto letter = [&](size_t at) -> char {
    if (at >= text.size()) return 0;
    const char c = text[at];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  switch (letter(1)) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return letter(2) == 'e' ? 3 : 0;
    case 'l': return letter(2) == 'l' ? 3 : 0;
    default: break;
  }
  // U+017F, the long s, is an s without case.
  constexpr std::string_view kLongS = "\u017F";
  return any_case && text.substr(1).starts_with(kLongS) ? 1 + kLongS.size() : 0;
}

struct SpaceRun {
  size_t end = 0;            // bytes of the run
  size_t last = 0;           // where its last character starts
  size_t after_newline = 0;  // end of its last newline, 0 if it has none
};

SpaceRun leading_spaces(std::string_view text) {
  SpaceRun run;
  while (run.end < text.size()) {
    const Character next = character_at(text, run.end);
    if (next.char_class != CharClass::kSpace) break;
    run.last = run.end;
    run.end += next.length;
    if (is_newline(next.code)) run.after_newline = run.end;
  }
  return run;
}

// \s+(?!\S)|\s+: the run's last space goes with what follows, unless it is the only one or nothing follows.
size_t spaces_before_text(const SpaceRun& run, bool at_end) {
  return at_end || run.last == 0 ? run.end : run.last;
}

// With `numbers_apart`, a number is where the text would end.
size_t gpt2_length(std::string_view text, bool numbers_apart) {
  const Character first = character_at(text, 0);
  if (first.code == '\'') {
    if (const size_t length = contraction_length(text, false)) return length;
  }
  if (first.char_class == CharClass::kNumber && numbers_apart) return first.length;
  const size_t start = first.code == ' ' && text.size() > 1 ? 1 : 0;
  const Character head = character_at(text, start);
  const bool cut_off = numbers_apart && head.char_class == CharClass::kNumber;
  if (head.char_class != CharClass::kSpace && !cut_off) {
    return end_of_run(text, start + head.length, head.char_class);
  }
  const SpaceRun run = leading_spaces(text);
  const bool at_end = run.end == text.size() ||
                      (numbers_apart && character_at(text, run.end).char_class == CharClass::kNumber);
  return spaces_before_text(run, at_end);
}

// Up to `max_digits` of the numbers that `text` starts with.
size_t numbers_length(std::string_view text, int max_digits) {
  size_t at = 0;
  for (int i = 0; i < max_digits && at < text.size(); ++i) {
    const Character next = character_at(text, at);
    if (next.char_class != CharClass::kNumber) break;
    at += next.length;
  }
  return at;
}

size_t llama_length(std::string_view text, int max_digits) {
  const Character first = character_at(text, 0);
  if (first.code == '\'') {
    if (const size_t length = contraction_length(text, true)) return length;
  }
  if (first.char_class == CharClass::kLetter) return end_of_run(text, first.length, CharClass::kLetter);
  if (first.char_class == CharClass::kNumber) return numbers_length(text, max_digits);
  if (!is_newline(first.code)) {
    // One character before letters goes with them.
    const size_t end = end_of_run(text, first.length, CharClass::kLetter);
    if (end > first.length) return end;
  }
  const size_t start = first.code == ' ' ? 1 : 0;
  size_t end = end_of_run(text, start, CharClass::kOther);
  if (end > start) {
    while (end < text.size() && is_newline(static_cast<unsigned char>(text[end]))) ++end;
    return end;
  }
  const SpaceRun run = leading_spaces(text);
  return run.after_newline > 0 ? run.after_newline : spaces_before_text(run, run.end == text.size());
}

}  // namespace

std::optional<PreTokenizer> find_pre_tokenizer(std::string_view name) {
  for (const auto& [known, rules] : kNames) {
    if (known == name) return rules;
  }
  return std::nullopt;
}

std::string_view pre_tokenizer_names() {
  return "gpt-2 (phi-2), smollm (starcoder, refact, codeshell), llama-bpe (llama3, llama-v3), "
         "qwen2 (deepseek-r1-qwen)";
}

size_t first_word_length(PreTokenizer rules, std::string_view text) {
  switch (rules) {
    case PreTokenizer::kGpt2: return gpt2_length(text, false);
    case PreTokenizer::kSmollm: return gpt2_length(text, true);
    case PreTokenizer::kLlamaBpe: return llama_length(text, 3);
    case PreTokenizer::kQwen2: break;
  }
  return llama_length(text, 1);
}

}  // namespace quire
