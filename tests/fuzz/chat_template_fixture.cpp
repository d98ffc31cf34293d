// A chat template, rendered with a conversation that has tools and calls.
#include "base/check.h"
#include "chat/chat_template.h"
#include "chat/template_traits.h"
#include "tests/fuzz/fuzz_targets.h"

namespace quire {
namespace {

Value fuzz_message(std::string role, std::string content) {
  Value message = Value::object();
  message.set("role", Value::user_text(std::move(role)));
  message.set("content", Value::user_text(std::move(content)));
  return message;
}

Value fuzz_context() {
  Value arguments = Value::object();
  arguments.set("x", Value::array({Value::integer(1), Value::number(2.5), Value::null()}));
  Value function = Value::object();
  function.set("name", Value::user_text("f"));
  function.set("arguments", arguments);
  Value call = Value::object();
  call.set("id", Value::user_text("c"));
  call.set("function", function);
  Value calling = fuzz_message("assistant", "calls");
  calling.set("tool_calls", Value::array({std::move(call)}));
  Value context = Value::object();
  context.set("messages",
              Value::array({fuzz_message("system", "be <|brief|>"), fuzz_message("user", "hi é\n"),
                            std::move(calling), fuzz_message("tool", "42")}));
  context.set("tools", Value::array({std::move(function)}));
  context.set("add_generation_prompt", Value::boolean(true));
  context.set("bos_token", Value::string("<s>"));
  context.set("eos_token", Value::string("</s>"));
  return context;
}

}  // namespace

void fuzz_chat_template(std::string_view input) {
  TemplateLimits limits;
  limits.max_steps = 20'000;
  limits.max_output_bytes = 100'000;
  const auto parsed = ChatTemplate::parse(input, limits);
  if (!parsed) {
    CHECK(!parsed.error().message.empty());
    return;
  }
  const auto parts = parsed->render(fuzz_context(), 1'700'000'000);
  if (!parts) return;
  size_t size = 0;
  for (const auto& part : *parts) size += part.text.size();
  CHECK(size <= 100'000);
  probe_template(*parsed, 0);
}

std::vector<std::string> chat_template_seeds() {
  return {
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
      "{%- set ns = namespace(n=0) -%}{%- for m in messages[::-1] if m.role != 'tool' -%}{%- set ns.n = "
      "ns.n + 1 "
      "-%}{{ loop.index ~ ': ' ~ m['content'].split(' ')[0] | upper }}{%- else -%}none{%- endfor -%}{{ "
      "ns.n }}",
      "{% macro call(c, indent=2) %}{{ c.function | tojson(indent=indent) }}{% endmacro %}{% for m in "
      "messages %}"
      "{% for c in m.tool_calls %}{{ call(c) }}{% endfor %}{% endfor %}{{ tools | map(attribute='name') | "
      "join(',') }}",
      "{{ raise_exception('no') if messages | length > 99 else strftime_now('%Y-%m-%d') }}{# note #}"
      "{% raw %}{{ x }}{% endraw %}{{ range(3) | list }}{{ {'a': [1, 2.0, none]}.items() | list }}",
      "{% if tools is defined and tools is not none and 'x' in 'xyz' %}{{ 7 // 2 ** 2 % 3 }}{% elif false "
      "%}a"
      "{% else %}b{% endif %}{% filter upper %}{{ bos_token }}{% endfilter %}",
  };
}

}  // namespace quire
