// Server-sent events (WHATWG HTML, "Server-sent events") as OpenAI's streams use them.
#pragma once

#include <string>
#include <string_view>

namespace quire {

inline constexpr std::string_view kEventStream = "text/event-stream; charset=utf-8";  // its media type

// "data: {json}" and a blank line. `json` has no line breaks: JsonWriter escapes them.
void append_event(std::string& out, std::string_view json);

// The same with a name, as other APIs' streams have them: "event: name" before it.
void append_named_event(std::string& out, std::string_view name, std::string_view json);

// The event that ends a stream.
void append_done_event(std::string& out);

}  // namespace quire
