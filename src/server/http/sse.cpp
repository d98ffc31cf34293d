#include "server/http/sse.h"

namespace quire {

void append_event(std::string& out, std::string_view json) {
  out += "data: ";
  out += json;
  out += "\n\n";
}

void append_named_event(std::string& out, std::string_view name, std::string_view json) {
  out += "event: ";
  out += name;
  out += '\n';
  append_event(out, json);
}

void append_done_event(std::string& out) { append_event(out, "[DONE]"); }

}  // namespace quire
