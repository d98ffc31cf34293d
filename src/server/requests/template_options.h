// How a conversation is rendered: fields that every request with messages has, beside the messages.
#pragma once

#include <optional>
#include <vector>

#include "chat/value.h"
#include "server/json/request_fields.h"

namespace quire {

struct TemplateOptions {
  // Whether the template asks for an answer: yes, unless the last message is to go on.
  std::optional<bool> add_generation_prompt;
  bool continue_final_message = false;  // the last message is left open: the answer goes on with it
  // The field at fault where it cannot be.
  std::string_view continued_by = "continue_final_message";
  Value variables = Value::object();  // what the template can see beside the messages

  bool asks_for_answer() const { return add_generation_prompt.value_or(!continue_final_message); }
};

// Adds the rules of these fields. `options` outlives them.
void add_template_rules(std::vector<FieldRule>& rules, TemplateOptions& options);

// Combinations, once all fields are read.
Expected<> check_template_options(const TemplateOptions& options);

}  // namespace quire
