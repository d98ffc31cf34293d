#include "chat/tool_call.h"

#include <algorithm>

namespace quire {

bool is_tool_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

bool is_tool_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToolNameBytes && std::ranges::all_of(text, is_tool_name_byte);
}

}  // namespace quire
