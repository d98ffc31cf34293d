"""Chat templates in the manner of well-known model families, written for this test."""

import jinja_conversations

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
    {{- "Functions: on\\n" }}
{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
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
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'
            + message['content'] | trim + '<|eot_id|>' }}
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
{%- set asked = messages | selectattr('role', 'equalto', 'user') | list %}
{%- set ns = namespace(index=0) %}
{{- bos_token }}
{%- for message in messages if message.role != 'system' %}
    {%- if message.role == 'user' %}
        {%- if tools and message == asked[-1] %}
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
        {%- for request in message.tool_calls %}
            {%- set out = request.function | tojson %}
            {{- out[:-1] }}
            {%- if not request.id is defined or request.id | length != 9 %}
                {{- raise_exception('Call ids have nine characters.') }}
            {%- endif %}
            {{- ', "id": "' + request.id + '"}' }}
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
    {{- "Tools, one a line:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n<|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set walk = namespace(searching=true, last_question=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- set is_result = message.content is string and message.content[:15] == '<tool_response>' %}
    {%- if walk.searching and message.role == "user" and not is_result %}
        {%- set walk.searching = false %}
        {%- set walk.last_question = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "user" or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is string %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set before = content.split('</think>')[0].rstrip('\\n') %}
            {%- set thought = before.split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > walk.last_question and (loop.last or thought) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + thought.strip('\\n')
                + '\\n</think>\\n\\n' + content }}
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
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
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
{% set ns = namespace(opened=false, in_results=false, prologue='', no_system_yet=true) %}\
{%- for message in messages %}{%- if message['role'] == 'system' %}\
{% set ns.prologue = ns.prologue + ('' if ns.no_system_yet else '\\n\\n') + message['content'] %}\
{% set ns.no_system_yet = false %}{%- endif %}{%- endfor %}\
{{ bos_token }}{{ ns.prologue }}\
{%- for message in messages %}
    {%- if message['role'] == 'user' %}
        {%- set ns.in_results = false -%}
        {{ '<|User|>' + message['content'] }}
    {%- endif %}
    {%- set has_calls = 'tool_calls' in message and message['tool_calls'] is not none %}
    {%- if message['role'] == 'assistant' and has_calls %}
        {%- set ns.in_results = false -%}
        {%- set ns.opened = false -%}
        {%- for tool in message['tool_calls'] %}
            {%- if not ns.opened %}
                {{- '<|Assistant|><|calls|><|call|>' + tool['function']['name'] + '\\n```json\\n' +
                    (tool['function']['arguments'] if tool['function']['arguments'] is string
                     else tool['function']['arguments']|tojson) + '\\n```<|end_call|>' }}
                {%- set ns.opened = true -%}
            {%- else %}
                {{- '\\n<|call|>' + tool['function']['name'] + '<|end_call|>' }}
            {%- endif %}
        {%- endfor %}
        {{- '<|end_calls|>' + eos_token }}
    {%- elif message['role'] == 'assistant' %}
        {%- if ns.in_results %}
            {{- '<|end_outputs|>' + message['content'] + eos_token }}
            {%- set ns.in_results = false -%}
        {%- else %}
            {%- set content = message['content'] %}
            {%- if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
            {{- '<|Assistant|>' + content + eos_token }}
        {%- endif %}
    {%- endif %}
    {%- if message['role'] == 'tool' %}
        {%- if not ns.in_results %}{{- '<|outputs|>' }}{%- endif %}
        {%- set ns.in_results = true -%}
        {{- '<|output|>' + message['content']|string + '<|end_output|>' }}
    {%- endif %}
{%- endfor -%}
{% if ns.in_results %}{{ '<|end_outputs|>' }}{% endif %}\
{% if add_generation_prompt and not ns.in_results %}{{ '<|Assistant|>' }}{% endif %}"""

TYPED_TOOLS = """\
{%- macro spelled(spec) %}
    {%- set plain = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
    {%- if spec.type is defined and plain[spec.type] is defined %}
        {{- plain[spec.type] -}}
    {%- elif spec.type == "array" %}
        {{- "list[" + spelled(spec['items']) + "]" -}}
    {%- elif spec.type == "object" %}
        {%- if spec.additionalProperties is defined %}
            {{- "dict[str, " + spelled(spec.additionalProperties) + "]" -}}
        {%- else %}
            {{- "dict" -}}
        {%- endif %}
    {%- elif spec.type is iterable %}
        {{- "any of [" }}
        {%- for t in spec.type %}
            {{- spelled({"type": t}) }}
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
        {{- name + ": " + spelled(fields) }}
        {%- if name not in (f.parameters.required or []) %}{{- " = None" }}{%- endif %}
        {%- if not loop.last %}{{- ", " }}{%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if f.return is defined %}{{- " -> " + spelled(f.return) }}{%- endif %}
    {{- "\\n    " + f.description | default('no description', true) | indent(4) + "\\n" }}
{%- endfor %}
{%- for message in messages %}
    {{- "<|im_start|>" + message.role + "\\n" }}
    {%- if message.content %}
        {{- message.content if message.content is string else message.content|tojson }}
    {%- endif %}
    {%- for call in message.tool_calls|default([], true) %}
        {%- set shown = {"name": call.function.name, "arguments": call.function.arguments} %}
        {{- "\\n<tool_call>" + shown|tojson + "</tool_call>" }}
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
            {{- "<|im_start|>assistant\\n<think>\\n\\n</think>\\n" -}}
            {{- content.lstrip("\\n") + "<|im_end|>\\n" -}}
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
{%- macro wrapped(message) -%}
    {%- if message.content is string -%}
        {{ caller(message.content) }}
    {%- else -%}
        {%- for part in message.content or [] if part.type == 'text' -%}
            {{ caller(part.text) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{%- set role_names = {
    'user': '<|USER|>', 'assistant': '<|BOT|>', 'system': '<|SYSTEM|>', 'tool': '<|TOOL|>',
} -%}
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

def pairs():
    for template in FAMILIES.values():
        for messages in jinja_conversations.CONVERSATIONS.values():
            for extra in jinja_conversations.EXTRAS:
                yield template, {"messages": messages, "bos_token": "<s>", "eos_token": "</s>", **extra}
