"""Whole templates for make_jinja_golden.py: statements, what must be refused, and white space control."""

import itertools

STATEMENTS = [
    # if
    "{% if n %}a{% endif %}", "{% if not n %}a{% else %}b{% endif %}",
    "{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}",
    "{% if nil %}a{% elif e %}b{% elif xs %}c{% elif d %}d{% endif %}",
    "{% if undefined_name %}a{% endif %}z",
    "{% if n %}{% if not yes %}a{% else %}b{% endif %}{% endif %}", "{% if n, 0 %}t{% endif %}",
    # for
    "{% for x in xs %}{{ x }},{% endfor %}", "{% for x in [] %}a{% else %}none{% endfor %}",
    "{% for x in undefined_name %}a{% else %}none{% endfor %}",
    "{% for c in 'añb' %}[{{ c }}]{% endfor %}", "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{% endfor %}",
    "{% for x in xs if x > 10 %}{{ x }}{% else %}empty{% endfor %}",
    "{% for x in xs if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ loop.last }} {% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in (1, 2) %}{{ x }}{% endfor %}",
    "{% for p in people %}"
    "{"
    "{"
    " "
    "l"
    "o"
    "o"
    "p"
    "."
    "i"
    "n"
    "d"
    "e"
    "x"
    " "
    "}"
    "}"
    " "
    "{"
    "{"
    " "
    "l"
    "o"
    "o"
    "p"
    "."
    "i"
    "n"
    "d"
    "e"
    "x"
    "0"
    " "
    "}"
    "}"
    " "
    "{"
    "{"
    " "
    "l"
    "o"
    "o"
    "p"
    "."
    "r"
    "e"
    "v"
    "i"
    "n"
    "d"
    "e"
    "x"
    " "
    "}"
    "}"
    " "
    "{"
    "{"
    " "
    "l"
    "oop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ loop.length }} {{ p.name }}\n{% endfor %}",
    "{% for p in people %}"
    "{"
    "{"
    " "
    "l"
    "o"
    "o"
    "p"
    "."
    "p"
    "r"
    "e"
    "v"
    "i"
    "t"
    "e"
    "m"
    "."
    "n"
    "a"
    "m"
    "e"
    " "
    "i"
    "f"
    " "
    "n"
    "o"
    "t loop.first }}<{{ p.name }}>{{ loop.nextitem.name if loop.nextitem is defined }};{% endfor %}",
    "{% for x in xs %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in [1,2,3,4,5] %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}",
    "{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in xs %}{% set outer = loop %}{% for y in xs %}"
    "{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in range(10) %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in range(6) %}{% if x is odd %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in range(3) %}{% for y in range(3) %}{% if y == 1 %}{% break %}{% endif %}"
    "{{ x }}{{ y }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{% break %}{% else %}none{% endfor %}z",
    "{% for x in xs|sort|reverse %}{{ x }}{% endfor %}",
    "{% for p in people|selectattr('tags') %}{{ p.name }}{{ loop.length }}{% endfor %}",
    "{% for x in d.values() %}{{ x }}{{ loop.last }}{% endfor %}",
    "{% for i in range(0, 10, 4) %}{{ i }}{% endfor %}",
    "{% for x in xs %}{% set y = x * 2 %}{{ y }}{% endfor %}{{ y }}",
    "{% set y = 1 %}{% for x in xs %}{{ y }}{% set y = y + x %}{{ y }};{% endfor %}{{ y }}",
    "{% set x = 'outer' %}{% for x in xs %}{{ x }}{% endfor %}{{ x }}",
    "{% for loop_item in [[1,2],[3]] %}{% for z in loop_item %}{{ z }}{% endfor %}|{% endfor %}",
    "{% for m in people[::-1] %}{{ m.name }}{% endfor %}",
    "{% for i in range(people|length - 1, -1, -1) %}{{ people[i].name }}{% endfor %}",
    "{% for x in xs if loop_unused is not defined %}{{ x }}{% endfor %}",
    "{% set ns = namespace(go=true) %}{% for x in xs if ns.go %}{{ x }}{% if x == 1 %}"
    "{% set ns.go = false %}{% endif %}{% endfor %}",
    # set
    "{% set a = 1 %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}",
    "{% set a %}text {{ n }}{% endset %}[{{ a }}]",
    "{% set a | upper %}text {{ n }}{% endset %}[{{ a }}]",
    "{% set a | trim | replace('t', 'T') %}  text  {% endset %}[{{ a }}]",
    "{% set a %}{% set b = 1 %}{{ b }}{% endset %}{{ a }}{{ b is defined }}",
    "{% set ns = namespace(x=0, y='') %}{% for i in xs %}{% set ns.x = ns.x + i %}"
    "{% set ns.y = ns.y ~ i %}{% endfor %}{{ ns.x }} {{ ns.y }}",
    "{% set ns = namespace() %}{% set ns.a = [1] %}{% set ns.a = ns.a + [2] %}"
    "{{ ns.a }}{{ ns.b is defined }}",
    "{% set ns = namespace(found=false) %}{% for m in people %}"
    "{% if m.age == 25 and not ns.found %}{% set ns.found = true %}{{ m.name }}{% endif %}"
    "{% endfor %}{{ ns.found }}",
    "{% if yes %}{% set inner = 1 %}{% endif %}{{ inner }}",
    "{% set a = [] %}{% set a = a + ['x'] %}{{ a }}",
    "{% set ns = namespace() %}{% set ns.t %}block{% endset %}{{ ns.t }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, z = 5, 6 %}{{ ns.a }}{{ z }}",
    "{% set x = s.upper %}{{ x() }}", "{% set f = range %}{{ f(2)|list }}",
    "{% set s = 'shadow' %}{{ s }}", "{% set a = b = 1 %}",
    # with
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}",
    # macros
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}"
    "{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{{ varargs|length }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}inside {{ n }}{% endcall %}",
    "{% macro m(xs) %}{% for x in xs %}{{ caller(x) }};{% endfor %}{% endmacro %}"
    "{% call(v) m(xs) %}<{{ v }}>{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro f(n) %}{% if n > 1 %}{{ n }}{{ f(n - 1) }}{% else %}.{% endif %}{% endmacro %}{{ f(4) }}",
    "{% macro m() %}{{ n }}{% set n = 1 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}",
    "{% macro m() %}{{ later }}{% endmacro %}{% set later = 'L' %}{{ m() }}",
    "{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}|{{ m('a') }}|",
    "{% macro m(x) %}a{{ x }}{% endmacro %}{{ m('b')|upper }}{{ m('c') ~ 'd' }}{{ m('e')|length }}",
    "{% macro a() %}A{% endmacro %}{% macro b() %}{{ a() }}B{% endmacro %}{{ b() }}",
    "{% macro m(x, y=[]) %}{{ y + [x] }}{% endmacro %}{{ m(1) }}{{ m(2) }}",
    "{{ m is defined }}{% macro m() %}{% endmacro %}{{ m is callable }}{{ m.name }}",
    "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m('x', **{'b': 'y'}) }}{{ m(*['p', 'q']) }}",
    "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}o{% endmacro %}{{ outer() }}",
    "{% macro m(t) %}{% if t is mapping %}{{ '{' }}{% for k, v in t|items %}"
    "{{ k }}:{{ m(v) }}{% if not loop.last %},{% endif %}{% endfor %}"
    "{{ '}' }}{% elif t is string %}'{{ t }}'{% elif t is iterable %}[{% for v in t %}"
    "{{ m(v) }}{{ ',' if not loop.last }}{% endfor %}]{% else %}{{ t }}{% endif %}{% endmacro %}"
    "{{ m(people) }}",
    # filter, generation, raw, comments
    "{% filter upper %}abc {{ s }}{% endfilter %}",
    "{% filter replace('a', 'b')|upper %}banana{% endfilter %}",
    "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter trim %}  x {% filter upper %}y{% endfilter %}  {% endfilter %}",
    "a{% generation %}b{{ n }}{% endgeneration %}c",
    "{% for x in xs %}{% generation %}{{ x }}{% endgeneration %}\n{% endfor %}",
    "{% raw %}{{ n }} {% if %} {# x #}{% endraw %}", "a{%- raw -%}  x  {%- endraw -%}  b",
    "a {% raw %} x {% endraw %} b", "{% raw %}\n{{ x }}\n{% endraw %}\nb",
    "{# comment #}a{# {{ n }} {% if %} #}b", "a\n{# c #}\nb", "a {#- c -#} b", "a\n  {#- c +#}\nb",
    "a{# multi\nline #}b", "{##}x{#-#} y",
    "{% set j = joiner('; ') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}",
    "{% set c = cycler('odd', 'even') %}{% for x in xs %}{{ c.next() }} {% endfor %}"
    "{{ c.current }}{{ c.reset() }}{{ c.current }}",
    # Text and delimiters
    "", "plain", "a { b } c", "a {b} %} }} #}", "{{ '{{' }}{{ '}}' }}", "{{ '{%' ~ '%}' }}",
    "a\r\nb\rc\n", "line\n", "line\n\n", "\n", "{{ n }}\n", "\n{{ n }}", "é世🎉", "{{n}}{{-n}}",
    "{{ n -}} x", "{{'a'}}{{\"b\"}}", "{%if n%}x{%endif%}", "{{\nn\n}}", "{{ n\n  +\n  1 }}",
    "$ {{ n }} ${n}", "{{ {} }}", "{{ {'a': 1}['a'] }}",
    "{{ 'multi\nline' }}", "{{ 'cr\r\nlf' }}",
]

ERRORS = [
    "{{", "{{ }}", "{{ n", "{% if n %}", "{% endif %}", "{% if %}{% endif %}", "{% for x in xs %}",
    "{% for in xs %}{% endfor %}", "{% for x xs %}{% endfor %}", "{% nope %}", "{% else %}",
    "{{ n + }}", "{{ + }}", "{{ (1 }}", "{{ [1 }}", "{{ 1) }}", "{{ {1} }}", "{{ {'a' 1} }}",
    "{{ 'a }}", "{# open", "{% raw %}x", "{{ a.b. }}", "{{ a[ }}",
    "{{ a[] }}", "{{ f( }}", "{{ f(a=1, 2) }}", "{{ n|nope }}", "{{ n is nope }}", "{{ n| }}",
    "{{ n is }}", "{% set = 1 %}", "{% set 1 = 1 %}", "{% set none = 1 %}", "{% set a %}",
    "{% macro m( %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% break %}",
    "{% continue %}", "{{ 1 2 }}", "{{ a b }}", "{% if n %}{% endfor %}", "{{ n ? 1 : 2 }}",
    "{{ n && 1 }}", "{{ !n }}", "{{ 'a' is string is string }}",
    "{% for x in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% if n %}{% else %}{% else %}{% endif %}", "{% call n %}{% endcall %}",
    "{% for true in xs %}{% endfor %}", "{% set x.y.z = 1 %}", "{% filter nope %}x{% endfilter %}",
    "{{ @ }}", "{{ 12abc }}", "{{ 012 }}",
    "{{ undefined_name.x }}", "{{ undefined_name['x'] }}", "{{ undefined_name() }}",
    "{{ undefined_name + 1 }}", "{{ undefined_name + 'a' }}", "{{ 'a' + undefined_name }}",
    "{{ undefined_name < 1 }}", "{{ -undefined_name }}", "{{ d.x.y }}", "{{ nil.x.y }}", "{{ n() }}",
    "{{ s() }}", "{{ s.nope() }}", "{{ d.nope() }}", "{{ nil + 'a' }}", "{{ 'a' + 1 }}",
    "{{ 1 + 'a' }}", "{{ [1] + (2,) }}", "{{ [1] + 1 }}",
    "{{ 'a' - 'b' }}", "{{ 'a' * 'b' }}", "{{ 'a' * 1.5 }}", "{{ 1 / 0 }}", "{{ 1 // 0 }}",
    "{{ 1 % 0 }}", "{{ 1.0 / 0 }}", "{{ 0 ** -1 }}", "{{ 1 < 'a' }}", "{{ none < 1 }}",
    "{{ [1] < 1 }}", "{{ {} < {} }}", "{{ 1 in 1 }}", "{{ 1 in 'a' }}", "{{ 1 in none }}",
    "{{ [1] in d }}", "{{ 'x'[::0] }}", "{{ xs[::0] }}", "{{ xs['a':] }}", "{{ -'a' }}", "{{ +'a' }}",
    "{{ -none }}",
    "{{ {[1]: 2} }}", "{{ {{}: 2} }}", "{% for x in n %}{% endfor %}",
    "{% for x in nil %}{% endfor %}", "{% for a, b in xs %}{% endfor %}",
    "{% for a, b in [[1]] %}{% endfor %}", "{% set a, b = 1, 2, 3 %}", "{% set a, b = 1 %}",
    "{% set n.x = 1 %}", "{% set zz.x = 1 %}", "{% set d.x = 1 %}", "{{ xs.append(1) }}",
    "{{ xs.pop() }}", "{{ xs.sort() }}", "{{ d.update({}) }}", "{{ d.pop('one') }}", "{{ d.clear() }}",
    "{{ d.setdefault('z', 1) }}", "{{ xs.extend([1]) }}",
    "{{ xs.insert(0, 1) }}", "{{ xs.remove(1) }}", "{{ s.__class__.__mro__ }}",
    "{{ ().__class__.__bases__ }}", "{{ n|length }}", "{{ nil|length }}", "{{ xs|map('nope')|list }}",
    "{{ xs|select('nope')|list }}", "{{ xs|map|list }}", "{{ (xs|map('string'))|length }}",
    "{{ (xs|map('string'))|last }}", "{{ xs|map(attribute='a', foo=1)|list }}",
    "{{ people|selectattr|list }}", "{{ [1, 'a']|sort }}", "{{ [none, 1]|sort }}",
    "{{ [1, 'a']|max }}",
    "{{ ['a']|sum }}", "{{ undefined_name|tojson }}", "{{ namespace()|tojson }}",
    "{{ d.items()|tojson }}", "{{ range|tojson }}", "{{ {(1, 2): 3}|tojson }}", "{{ n|join }}",
    "{{ ','.join([1]) }}", "{{ ','.join(n) }}", "{{ s.split('') }}", "{{ s.index('zzz') }}",
    "{{ xs.index(99) }}", "{{ s.startswith(1) }}", "{{ s.replace('a') }}", "{{ s.replace(1, 2) }}",
    "{{ s.strip(1) }}", "{{ s.find() }}", "{{ s.upper(1) }}", "{{ d.get() }}", "{{ d.get([]) }}",
    "{{ s|abs }}", "{{ s|round }}", "{{ 1.5|round(method='nope') }}", "{{ undefined_name|int }}",
    "{{ xs|items }}{{ xs|items|list }}", "{{ n|dictsort }}", "{{ d|dictsort(by='x') }}",
    "{{ '%d' % 'a' }}", "{{ '%s %s' % ('a',) }}", "{{ '%s' % ('a', 'b') }}", "{{ '%q' % 1 }}",
    "{{ '%' % 1 }}", "{{ '%(a)s' % {'b': 1} }}", "{{ '{} {}'.format(1) }}", "{{ '{x}'.format(1) }}",
    "{{ '{'.format(1) }}", "{{ range(0, 10, 0) }}", "{{ range('a') }}", "{{ range() }}",
    "{{ range(1000000)|length }}",
    "{{ raise_exception('no') }}", "{% if n %}{{ raise_exception('no ' ~ s) }}{% endif %}",
    "{% macro m() %}{{ raise_exception('inside') }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ n is divisibleby 0 }}", "{{ s is divisibleby 2 }}", "{{ s is odd }}", "{{ n is gt 'a' }}",
    "{{ n is in 5 }}", "{{ loop.index }}", "{{ xs|first(1) }}", "{{ s|replace('a') }}",
    "{{ s|default(1, 2, 3) }}", "{{ s|upper(1) }}", "{{ namespace(1) }}", "{{ dict(1) }}",
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}",
    "{{ loop }}{% for x in xs %}{{ loop.cycle() }}{% endfor %}", "{{ 2 ** 0.5 ** 'a' }}",
    "{{ 'abc'|truncate(2) }}", "{{ '12'|int(base=99) }}", "{{ strftime_now() }}", "{{ caller() }}",
    "{{ d.items()[0].x }}", "{{ cycler() }}", "{{ 'a'|center('x') }}", "{{ 'a'.center(5, 'ab') }}",
    "{% set ns = namespace() %}{{ ns.x.y }}",
]


def whitespace():
    """Every pair of signs on every kind of tag, in surroundings where they make a difference."""
    signs = ["", "-", "+"]
    surroundings = [
        ("a ", " b"), ("a\n", "\nb"), ("a\n  ", "  \n  b"), ("  ", "\n"),
        ("a \n\t ", " \t\n\n b"), ("", ""),
    ]
    for left, right in itertools.product(signs, signs):
        opener, closer = "{%" + left, right + "%}"
        for before, after in surroundings:
            yield f"{before}{opener} set x = 1 {closer}{after}"
            yield before + "{#" + left + " c " + right + "#}" + after
            yield f"{before}{opener} if n {closer}{after}{opener} endif {closer}{after}"
            if right != "+":
                yield before + "{{" + left + " 'x' " + right + "}}" + after
        yield f"a\n  {opener} raw %}}  \n r \n {{% endraw {closer}\n b"
        yield f"a\n  {opener} for x in xs {closer}\n  [{{{{ x }}}}]\n  {opener} endfor {closer}\n b"
    yield from [
        "{% if n %}\n  {% if yes %}\n    deep\n  {% endif %}\n{% endif %}\nend",
        "  {% if n %} x {% endif %}  ", "a {% if n %}\n b{% endif %}\n",
        "{{ n }}\n{% set a = 1 %}\n{{ n }}\n", "{{ n }}  {% set a = 1 %}\nb",
        "{{ n }}\n  {% set a = 1 %}  \nb", "\t{% if n %}\tx\t{% endif %}\t\n",
        "{% set a = 1 %}  {% set b = 2 %}\nz", "a\n\n{%- if n %}\n\nb{%- endif %}\n\n",
        "a  {{- ' x ' -}}  b", "a\n{{- n -}}\nb", "x\u00a0{%- if n -%}\u00a0y{%- endif -%}\u2003z",
        "{% for x in xs -%}\n  {{ x }}\n{%- endfor %}",
        "{%- for x in xs %}\n{{ x }}\n{%- endfor -%}\n", "a{% if n %}\n\n{% endif %}b",
        "{#- a -#}\n\n{#- b -#}\nc", "x {#- a #} y {# b -#} z",
    ]
