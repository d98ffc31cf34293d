// Small vocabularies for tests: token b is byte b, then come the merges' results, then control tokens.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/tokenizer_spec.h"

namespace quire {

// `bytes` in GPT-2's alphabet.
inline std::string in_alphabet(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    int code = static_cast<unsigned char>(c);
    if (code <= 0x20) {
      code += 0x100;
    } else if (code >= 0x7F && code <= 0xA0) {
      code += 0x121 - 0x7F;
    } else if (code == 0xAD) {
      code = 0x143;
    }
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else {
      out.push_back(static_cast<char>(0xC0 | code >> 6));
      out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
    }
  }
  return out;
}

// A merge that gives a string which is there already adds no token.
inline TokenizerSpec byte_level_spec(std::string_view pre_tokenizer,
                                     const std::vector<std::pair<std::string, std::string>>& merges = {},
                                     const std::vector<std::string>& controls = {}) {
  TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre_tokenizer = pre_tokenizer;
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(in_alphabet(std::string(1, static_cast<char>(byte))));
  }
  for (const auto& [left, right] : merges) {
    spec.merges.push_back(in_alphabet(left) + " " + in_alphabet(right));
    const std::string result = in_alphabet(left + right);
    bool known = false;
    for (const std::string& token : spec.tokens) known = known || token == result;
    if (!known) spec.tokens.push_back(result);
  }
  spec.types.assign(spec.tokens.size(), TokenType::kNormal);
  for (const std::string& control : controls) {
    spec.tokens.push_back(control);
    spec.types.push_back(TokenType::kControl);
  }
  return spec;
}

}  // namespace quire
