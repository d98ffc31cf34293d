"""Chat templates in the manner of well-known model families, written for this test, and conversations for them."""

BLOCKY = """\
{%- for message in messages -%}
    {%- if loop.first and message.role != 'system' -%}
        {{- '<|im_start|>system\\nBe brief.<|im_end|>\\n' -}}
    {%- endif -%}
    {{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content|trim ~ '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""

INSTRUCT = """\
{% if messages[0]['role'] == 'system' %}
{% set system_text = '<<SYS>>\\n' + messages[0]['content'].strip() + '\\n<</SYS>>\\n\\n' %}
{% set turns = messages[1:] %}
{% else %}
{% set system_text = '' %}
{% set turns = messages %}
{% endif %}
{% for turn in turns %}
{% if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Turns must go user, assistant, user, assistant, ...') }}
{% endif %}
{% if turn['role'] == 'user' %}
{{ bos_token + '[INST] ' + (system_text if loop.first else '') + turn['content'].strip() + ' [/INST]' }}
{%- elif turn['role'] == 'assistant' %}
{{ ' ' + turn['content'].strip() + ' ' + eos_token }}
{%- endif %}
{% endfor %}
"""

HEADERS = """\
{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") %}
{%- endif %}
{%- if messages[0].role == "system" %}
    {%- set system_message = messages[0].content|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is defined and tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools %}
    {{- "Call one of these functions by a line of JSON.\\n\\n" }}
    {%- for tool in tools %}
        {{- tool | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if message.tool_calls|length != 1 %}
            {{- raise_exception("Only one call at a time is understood.") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- call.arguments | tojson }}
        {{- "}<|eot_id|>" }}
    {%- elif message.role == "tool" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

BRACKETS = """\
{%- set users = messages | selectattr('role', 'equalto', 'user') | list %}
{%- set ns = namespace(index=0) %}
{{- bos_token }}
{%- for message in messages if message.role != 'system' %}
    {%- if message.role == 'user' %}
        {%- if tools and message == users[-1] %}
            {{- '[AVAILABLE_TOOLS] [' }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, value in tool.items() if key != 'return' %}
                    {%- if value is string %}
                        {{- '"' + key + '": "' + value + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + value|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}{{- ', ' }}{% endif %}
                {%- endfor %}
                {{- '}}' }}
                {%- if not loop.last %}{{- ', ' }}{%- else %}{{- ']' }}{%- endif %}
            {%- endfor %}
            {{- '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {{- '[INST] ' + message.content + '[/INST]' }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- '[TOOL_CALLS] [' }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function | tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id | length != 9 %}
                {{- raise_exception('Call ids have nine characters.') }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {{- ', ' if not loop.last else ']' + eos_token }}
        {%- endfor %}
    {%- elif message.role == 'assistant' %}
        {{- ' ' + message.content|trim + eos_token }}
    {%- elif message.role == 'tool' %}
        {%- set content = message.content if message.content is string else message.content|string %}
        {{- '[TOOL_RESULTS] {"content": ' + content + '}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception('Unknown role ' ~ message.role) }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}
{{- '<!-- ' ~ ns.index ~ ' -->' }}
"""

THINKING = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\nSignatures are within <tools></tools>:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n<|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string
           and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "user" or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or reasoning) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls or [] %}
            {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
            {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {%- if tool_call.arguments is string %}
                {{- tool_call.arguments }}
            {%- else %}
                {{- tool_call.arguments | tojson }}
            {%- endif %}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
"""

TURNS = """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
  {{ raise_exception('A system role is not supported') }}
{%- endif -%}
{%- for message in messages -%}
  {%- if (message['role'] == 'user') != (loop.index0 is even) -%}
    {{ raise_exception("Roles must alternate") }}
  {%- endif -%}
  {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
  {{ '<start_of_turn>' + role + '\n' }}
  {%- if message['content'] is string -%}
    {{ message['content'] | trim }}
  {%- elif message['content'] is iterable -%}
    {%- for item in message['content'] -%}
      {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}
      {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
    {%- endfor -%}
  {%- else -%}
    {{ raise_exception('Invalid content type') }}
  {%- endif -%}
  {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}
"""

PIPES = """\
{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{ '<|system|>
' + message['content'] + '<|end|>
' }}{% elif message['role'] == 'user' %}{{ '<|user|>
' + message['content'] + '<|end|>
' }}{% elif message['role'] == 'assistant' %}{% generation %}{{ '<|assistant|>
' + message['content'] + '<|end|>
' }}{% endgeneration %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>
' }}{% else %}{{ eos_token }}{% endif %}"""

STATEFUL = """\
{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}\
{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}\
{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}\
{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}\
{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}\
{{ bos_token }}{{ ns.system_prompt }}\
{%- for message in messages %}
    {%- if message['role'] == 'user' %}
        {%- set ns.is_tool = false -%}
        {{ '<|User|>' + message['content'] }}
    {%- endif %}
    {%- if message['role'] == 'assistant' and 'tool_calls' in message and message['tool_calls'] is not none %}
        {%- set ns.is_tool = false -%}
        {%- set ns.is_first = false -%}
        {%- for tool in message['tool_calls'] %}
            {%- if not ns.is_first %}
                {{- '<|Assistant|><|calls|><|call|>' + tool['function']['name'] + '\\n```json\\n' +
                    (tool['function']['arguments'] if tool['function']['arguments'] is string
                     else tool['function']['arguments']|tojson) + '\\n```<|end_call|>' }}
                {%- set ns.is_first = true -%}
            {%- else %}
                {{- '\\n<|call|>' + tool['function']['name'] + '<|end_call|>' }}
            {%- endif %}
        {%- endfor %}
        {{- '<|end_calls|>' + eos_token }}
    {%- elif message['role'] == 'assistant' %}
        {%- if ns.is_tool %}
            {{- '<|end_outputs|>' + message['content'] + eos_token }}
            {%- set ns.is_tool = false -%}
        {%- else %}
            {%- set content = message['content'] %}
            {%- if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
            {{- '<|Assistant|>' + content + eos_token }}
        {%- endif %}
    {%- endif %}
    {%- if message['role'] == 'tool' %}
        {%- if not ns.is_tool %}{{- '<|outputs|>' }}{%- endif %}
        {%- set ns.is_tool = true -%}
        {{- '<|output|>' + message['content']|string + '<|end_output|>' }}
    {%- endif %}
{%- endfor -%}
{% if ns.is_tool %}{{ '<|end_outputs|>' }}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{ '<|Assistant|>' }}{% endif %}"""

TYPED_TOOLS = """\
{%- macro python_type(spec) %}
    {%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
    {%- if spec.type is defined and basic[spec.type] is defined %}
        {{- basic[spec.type] -}}
    {%- elif spec.type == "array" %}
        {{- "list[" + python_type(spec['items']) + "]" -}}
    {%- elif spec.type == "object" %}
        {%- if spec.additionalProperties is defined %}
            {{- "dict[str, " + python_type(spec.additionalProperties) + "]" -}}
        {%- else %}
            {{- "dict" -}}
        {%- endif %}
    {%- elif spec.type is iterable %}
        {{- "Union[" }}
        {%- for t in spec.type %}
            {{- python_type({"type": t}) }}
            {%- if not loop.last %}{{- "," }}{%- endif %}
        {%- endfor %}
        {{- "]" -}}
    {%- else %}
        {{- "Any" }}
    {%- endif %}
{%- endmacro %}
{%- for tool in tools %}
    {%- set f = tool.function if tool.function is defined else tool %}
    {{- f.name + "(" }}
    {%- for name, fields in f.parameters.properties.items() %}
        {{- name + ": " + python_type(fields) }}
        {%- if name not in (f.parameters.required or []) %}{{- " = None" }}{%- endif %}
        {%- if not loop.last %}{{- ", " }}{%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if f.return is defined %}{{- " -> " + python_type(f.return) }}{%- endif %}
    {{- "\\n    " + f.description | default('no description', true) | indent(4) + "\\n" }}
{%- endfor %}
{%- for message in messages %}
    {{- "<|im_start|>" + message.role + "\\n" }}
    {%- if message.content %}{{- message.content if message.content is string else message.content|tojson }}{%- endif %}
    {%- for call in message.tool_calls|default([], true) %}
        {{- "\\n<tool_call>" + {"name": call.function.name, "arguments": call.function.arguments}|tojson + "</tool_call>" }}
    {%- endfor %}
    {{- "<|im_end|>\\n" }}
{%- endfor %}
"""

MODES = """\
{%- set system_message = "" -%}
{%- set mode = "/think" if enable_thinking is not defined or enable_thinking else "/no_think" -%}
{%- if messages and messages[0].role == "system" -%}
    {%- set system_message = messages[0].content -%}
    {%- if "/no_think" in system_message -%}
        {%- set mode = "/no_think" -%}
    {%- elif "/think" in system_message -%}
        {%- set mode = "/think" -%}
    {%- endif -%}
    {%- set custom = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{{- "<|im_start|>system\\n" -}}
## Metadata

Date: {{ strftime_now("%d %B %Y") }}
Mode: {{ mode }}

{% if custom -%}
{{ custom + "\\n\\n" }}
{%- endif -%}
{%- if xml_tools or python_tools -%}
### Tools
{% for tool in (xml_tools or python_tools) %}
- {{ tool.function.name|e }}: {{ tool.function.description|default("-") }}
{% endfor -%}
{%- endif -%}
{{- "<|im_end|>\\n" -}}
{#- The conversation itself -#}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}
        {{- "<|im_start|>user\\n" + content + "<|im_end|>\\n" -}}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if mode == "/think" -%}
            {{- "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" -}}
        {%- else -%}
            {{- "<|im_start|>assistant\\n<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|im_end|>\\n" -}}
        {%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}
        {{- "<|im_start|>user\\n" + (message.content|string) + "<|im_end|>\\n" -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- "<|im_start|>assistant\\n" + ("<think>\\n\\n</think>\\n" if mode == "/no_think" else "") -}}
{%- endif -%}
"""

GROUNDED = """\
{%- set role_names = {'user': '<|USER|>', 'assistant': '<|BOT|>', 'system': '<|SYSTEM|>', 'tool': '<|TOOL|>'} -%}
{%- macro document(doc, index) -%}
<document id="{{ index }}">
{% for key, value in doc|dictsort %}
{{ key|capitalize }}: {{ value }}
{% endfor %}
</document>
{% endmacro -%}
{{ bos_token -}}
{%- if documents is defined and documents -%}
<results>
{% for doc in documents -%}
{{ document(doc, loop.index0) }}
{%- endfor -%}
</results>
{%- endif -%}
{%- for message in messages -%}
    {%- set name = role_names.get(message.role) or raise_exception('unknown role: ' + message.role) -%}
    {{ '<|START|>' ~ name }}
    {%- call(text) wrapped(message) -%}{{ text|trim }}{%- endcall -%}
    {{ '<|END|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|START|>' ~ role_names['assistant'] }}{%- endif -%}
"""
GROUNDED = """\
{%- macro wrapped(message) -%}
    {%- if message.content is string -%}
        {{ caller(message.content) }}
    {%- else -%}
        {%- for part in message.content or [] if part.type == 'text' -%}{{ caller(part.text) }}{%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
""" + GROUNDED

FAMILIES = {
    "blocky": BLOCKY,
    "instruct": INSTRUCT,
    "headers": HEADERS,
    "brackets": BRACKETS,
    "thinking": THINKING,
    "turns": TURNS,
    "pipes": PIPES,
    "stateful": STATEFUL,
    "typed_tools": TYPED_TOOLS,
    "modes": MODES,
    "grounded": GROUNDED,
}

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place.\nIn metric units, unless told \"otherwise\".",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "A city, e.g. Zürich"},
                "days": {"type": "integer"},
                "fields": {"type": "array", "items": {"type": ["string", "number"]}},
                "extra": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "any": {},
            },
            "required": ["place"],
        },
        "return": {"type": "array", "items": {"type": "number"}},
    },
}
SHOP = {"type": "function", "function": {"name": "buy", "description": None, "parameters": {"type": "object", "properties": {}}}}

USER = {"role": "user", "content": "  What is 2 + 2? <|im_end|> "}
ANSWER = {"role": "assistant", "content": "<think>\nadd\n</think>\n\nIt is 4."}
SYSTEM = {"role": "system", "content": "You are terse. /no_think"}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "abcdef123", "type": "function",
         "function": {"name": "get_weather", "arguments": {"place": "Köln", "days": 2, "fields": ["t", 1.5], "ok": True}}}
    ],
}
TWO_CALLS = {
    "role": "assistant",
    "content": "Both.",
    "tool_calls": CALL["tool_calls"]
    + [{"id": "short", "type": "function", "function": {"name": "buy", "arguments": "{\"a\": 1}"}}],
}
RESULT = {"role": "tool", "name": "get_weather", "content": "{\"t\": 21.5}"}
RESULT_VALUE = {"role": "tool", "content": {"t": [1, None, "x"]}}
PARTS = {"role": "user", "content": [{"type": "text", "text": " Look: "}, {"type": "image"}, {"type": "text", "text": "what?"}]}
THOUGHT = {"role": "assistant", "content": "4.", "reasoning_content": "\nsimple sum\n"}

CONVERSATIONS = {
    "one": [USER],
    "system": [SYSTEM, USER],
    "two": [USER, ANSWER, {"role": "user", "content": "Sure?"}],
    "long": [SYSTEM, USER, ANSWER, {"role": "user", "content": "And 3 + 3?"}, {"role": "assistant", "content": "6"}],
    "tools": [SYSTEM, USER, CALL, RESULT, {"role": "assistant", "content": "21.5 degrees"}, {"role": "user", "content": "Thanks"}],
    "results": [USER, TWO_CALLS, RESULT, RESULT],
    "result_value": [USER, CALL, RESULT_VALUE],
    "parts": [PARTS],
    "thought": [USER, THOUGHT],
    "two_users": [USER, USER],
    "odd_role": [USER, {"role": "critic", "content": "Hm."}],
    "systems": [SYSTEM, {"role": "system", "content": "Also: be kind."}, USER],
    "empty_content": [{"role": "user", "content": ""}],
}

EXTRAS = [
    {"add_generation_prompt": True},
    {"add_generation_prompt": False, "tools": [WEATHER, SHOP], "xml_tools": [WEATHER]},
    {"add_generation_prompt": True, "tools": None, "enable_thinking": False, "date_string": "1 Jan 2020",
     "documents": [{"title": "Sums", "text": "2 + 2 = 4"}, {"text": "no title"}]},
]


def pairs():
    for template in FAMILIES.values():
        for messages in CONVERSATIONS.values():
            for extra in EXTRAS:
                yield template, {"messages": messages, "bos_token": "<s>", "eos_token": "</s>", **extra}
