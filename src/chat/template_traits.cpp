#include "chat/template_traits.h"

#include <string>
#include <string_view>

namespace quire {
namespace {

constexpr std::string_view kName = "probe_tool_7", kKey = "\"probe_key\"", kValue = "probe_value";

Value text(std::string_view bytes) { return Value::string(std::string(bytes)); }

Value message(std::string_view role, Value content) {
  Value object = Value::object();
  object.set("role", text(role));
  object.set("content", std::move(content));
  return object;
}

Value function(std::string_view key, Value value) {
  Value function = Value::object();
  function.set("name", text(kName));
  function.set(std::string(key), std::move(value));
  Value object = Value::object();
  object.set("type", text("function"));
  object.set("function", std::move(function));
  return object;
}

// The rendered text; empty if the template refuses.
std::string render(const ChatTemplate& chat_template, Value messages, bool ask, int64_t unix_seconds) {
  Value parameters = Value::object();
  parameters.set("type", text("object"));
  parameters.set("properties", Value::object());
  Value context = Value::object();
  context.set("messages", std::move(messages));
  context.set("tools", Value::array({function("parameters", std::move(parameters))}));
  context.set("add_generation_prompt", Value::boolean(ask));
  context.set("bos_token", text(""));
  context.set("eos_token", text(""));
  std::string all;
  if (const auto parts = chat_template.render(context, unix_seconds)) {
    for (const auto& part : *parts) all += part.text;
  }
  return all;
}

// A question, a call, its result and an answer.
Value conversation(bool argument_object, bool null_content) {
  Value arguments = text("{\"probe_key\": \"probe_value\"}");
  if (argument_object) {
    arguments = Value::object();
    arguments.set("probe_key", text(kValue));
  }
  Value call = function("arguments", std::move(arguments));
  call.set("id", text("probe0001"));  // nine letters and digits, as some templates demand
  Value calling = message("assistant", null_content ? Value::null() : text(""));
  calling.set("tool_calls", Value::array({std::move(call)}));
  Value result = message("tool", text("42"));
  result.set("tool_call_id", text("probe0001"));
  result.set("name", text(kName));
  return Value::array({message("user", text("question")), std::move(calling), std::move(result),
                       message("assistant", text("answer"))});
}

// The arguments are in the text as an object, not as a string in JSON or as Python prints it. Some templates
// have a form of their own that is no JSON: there the value alone tells.
bool shows_arguments(std::string_view rendered, bool as_json) {
  if (!rendered.contains(kName)) return false;
  return as_json ? rendered.contains(kKey)
                 : rendered.contains(kValue) && !rendered.contains("\\\"probe_key") &&
                       !rendered.contains("'probe_key'");
}

}  // namespace

TemplateTraits probe_template(const ChatTemplate& chat_template, int64_t unix_seconds) {
  TemplateTraits traits;
  traits.shows_tools =
      render(chat_template, Value::array({message("user", text("question"))}), true, unix_seconds)
          .contains(kName);
  for (const bool as_json : {true, false}) {
    for (const bool argument_object : {true, false}) {
      for (const bool null_content : {true, false}) {
        const std::string rendered =
            render(chat_template, conversation(argument_object, null_content), false, unix_seconds);
        if (!shows_arguments(rendered, as_json)) continue;
        return {traits.shows_tools, true, argument_object, null_content};
      }
    }
  }
  return traits;
}

}  // namespace quire
