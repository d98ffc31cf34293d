// What a chat template does with tools, found out by rendering: templates differ in what they take, and none
// says so.
#pragma once

#include <cstdint>

#include "chat/chat_template.h"

namespace quire {

struct TemplateTraits {
  bool shows_tools = false;  // offered ones
  bool shows_calls = false;  // those of an assistant's message
  // Whether the arguments of such a call are wanted as an object, as transformers gives them, or as JSON
  // text.
  bool wants_argument_objects = true;
  bool takes_null_content = true;  // beside calls; otherwise an empty string stands for it
};

TemplateTraits probe_template(const ChatTemplate& chat_template, int64_t unix_seconds);

}  // namespace quire
