#include "server/requests/template_options.h"

#include <algorithm>
#include <array>

#include "server/json/template_value.h"

namespace quire {
namespace {

// What the server itself gives to templates.
constexpr std::array<std::string_view, 5> kReserved = {"messages", "tools", "add_generation_prompt",
                                                       "bos_token", "eos_token"};

Expected<> read_variables(const JsonField& field, Value& variables) {
  const auto fields = read_object(field);
  if (!fields) return std::unexpected(fields.error());
  for (const auto member : fields->object) {
    if (std::ranges::find(kReserved, member.key) != kReserved.end()) {
      return fail_param("chat_template_kwargs", "chat_template_kwargs cannot set '{}': the server does",
                        excerpt(member.key));
    }
    variables.set(std::string(member.key), template_value(member.value));
  }
  return {};
}

}  // namespace

void add_template_rules(std::vector<FieldRule>& rules, TemplateOptions& options) {
  rules.push_back({"add_generation_prompt", into(options.add_generation_prompt),
                   "whether the template asks for an answer; by default, unless continue_final_message"});
  rules.push_back({"continue_final_message", into(options.continue_final_message),
                   "the last message is left open, and the answer goes on with it"});
  rules.push_back(
      {"chat_template_kwargs",
       {{.type = "object"},
        [&options](const JsonField& field) { return read_variables(field, options.variables); }},
       "variables that the chat template can see, such as enable_thinking"});
}

Expected<> check_template_options(const TemplateOptions& options) {
  if (!options.continue_final_message || !options.add_generation_prompt.value_or(false)) return {};
  return fail_param("continue_final_message",
                    "continue_final_message and add_generation_prompt cannot both be true");
}

}  // namespace quire
