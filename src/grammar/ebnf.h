// Pieces of xgrammar's EBNF as text: literals, character classes, a list of rules. Every expression that is
// returned here or kept here can stand next to others in a sequence without parentheses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace quire {

struct CodePointRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// "..." that stands for `text`, which is valid UTF-8.
std::string ebnf_literal(std::string_view text);

// (a | b | ...); the only one bare.
std::string ebnf_choice(std::span<const std::string> options);

// expression{least,most}; most -1: without end.
std::string ebnf_repeat(std::string_view expression, int64_t least, int64_t most);

// The decoded UTF-8 character at `at`, which is moved behind it. The text is valid UTF-8.
uint32_t next_code_point(std::string_view text, size_t& at);
void append_utf8(uint32_t code_point, std::string& out);

// Rules by name, in the order in which they were added.
class EbnfRules {
 public:
  // The name of a rule with this body: the stem and a number, if there is none yet. `options` are
  // xgrammar's, such as max_chars=80.
  std::string add(std::string_view stem, std::string_view body, std::string_view options = {});
  // The same in two steps, for rules that refer to themselves.
  std::string reserve(std::string_view stem);
  void define(std::string_view name, std::string_view body);

  size_t bytes() const { return text_.size(); }
  size_t offered_bytes() const { return offered_bytes_; }  // of all that was added, old or new
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int64_t num_rules_ = 0;
  size_t offered_bytes_ = 0;
  std::unordered_map<std::string, std::string> by_body_;
};

}  // namespace quire
