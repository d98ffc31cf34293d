#!/usr/bin/env python3
"""Renders the (template, context) pairs below with Python's jinja2 and writes jinja_golden.jsonl beside this file.

Run it after a change here, in a virtual environment that has jinja2 (3.1): python make_jinja_golden.py
The environment is set up as transformers sets it up for chat templates. Lines are {template, context} with `rendered`,
or with `error` where jinja2 refuses to parse or to render. chat_template_test.cpp replays them.
"""

import datetime
import itertools
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

import jinja_families

NOW = datetime.datetime.fromtimestamp(1721822827, datetime.timezone.utc).replace(tzinfo=None)


class Generation(jinja2.ext.Extension):
    """The generation block: its contents, as they are."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_contents"), [], [], body).set_lineno(line)

    def _contents(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def make_environment():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment


DATA = {
    "n": 7,
    "neg": -3,
    "zero": 0,
    "big": 9007199254740993,
    "f": 2.5,
    "tiny": 1e-7,
    "huge": 1e22,
    "s": "Hello, World",
    "t": "  padded\t\n",
    "u": "Grüße, 世界 🎉",
    "e": "",
    "q": "it's \"quoted\" \\ and\nbroken",
    "yes": True,
    "no": False,
    "nil": None,
    "xs": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "mixed": [1, "a", 2.0, None, True, [1, 2], {"k": "v"}],
    "nested": {"a": {"b": [10, 20, {"c": "deep"}]}},
    "d": {"one": 1, "two": 2, "three": 3},
    "people": [
        {"name": "Ann", "age": 31, "tags": ["x"], "info": {"city": "Oslo"}},
        {"name": "bob", "age": 25, "tags": [], "info": {"city": "Rome"}},
        {"name": "Cid", "age": 31, "tags": ["y", "z"], "info": {"city": "Bonn"}},
    ],
    "html": "<b>\"x\" & 'y'</b>",
}


def output(*expressions):
    """One template an expression, which is rendered between bars."""
    return ["|{{ " + expression + " }}|" for expression in expressions]


EXPRESSIONS = output(
    # Literals, and how values print
    "1", "1_000", "0x1F", "0o17", "0b101", "1.5", "1e3", "1.5e-10", "2E5", "'a'", '"b"', "'a' 'b'", "true", "True",
    "false", "False", "none", "None", "[]", "[1]", "[1, 'a', none, true, 1.5]", "()", "(1,)", "(1, 2)", "1, 2", "{}",
    "{'a': 1, 'b': [1, {'c': none}]}", "{1: 2, none: 3, true: 4}", "[1, 2,]", "{'a': 1,}", "1.0", "100000000000000000.0",
    "1e16", "123456789012345.6", "0.0001", "0.00001", "-0.0", "f", "tiny", "huge", "big", "1/3", "2/1", "1e100", "nil",
    "undefined_name", "mixed", "nested", "d", "words", "u", "q", "[q]", "[u]", "[t]", "['\\x00\\x7f\\u00a0\\u200b']",
    "'\\n'", "'\\t|\\\\|\\'|\\\"'", "'\\x41\\u0042\\U00000043\\101'", "'\\q'", "'a\\\nb'", "'it\\'s'", '["it\'s"]',
    "['\"']", "['\"\\'']", "1.e5", "'{{ not a tag }}'", "'%}'", "{'}}': 1}", "{'a': {'b': {}}}",
    # Arithmetic
    "1 + 2", "n - 10", "n * neg", "n / 2", "n // 2", "neg // 2", "n % 3", "neg % 3", "n % -3", "neg % -2", "2 ** 10",
    "2 ** -1", "2 ** 0.5", "-2 ** 2", "2 ** 3 ** 2", "7.5 // 2", "-7.5 // 2", "7.5 % 2", "-7.5 % 2", "7.5 % -2", "1 + 2 * 3",
    "(1 + 2) * 3", "10 - 3 - 2", "100 / 10 / 2", "2 * 3 % 4", "-n", "+n", "--n", "- -n", "-n|abs", "(-n)|abs", "true + 1",
    "true * 3", "-true", "1 + 1.5", "3 - 0.5", "1 // 0.3", "9007199254740993 + 0", "9223372036854775807",
    "-9223372036854775807 - 1", "0 * -1.0", "5 / 2.5", "0 ** 0", "7 // -2", "1_0 + 1",
    # Strings
    "'a' + 'b'", "'a' * 3", "3 * 'ab'", "'a' * 0", "'a' * -1", "'a' ~ 1 ~ none ~ true ~ 1.5", "1 ~ 2", "'a' ~ undefined_name ~ 'b'",
    "s[0]", "s[-1]", "s[100]", "s[1:4]", "s[:5]", "s[7:]", "s[-5:]", "s[::2]", "s[::-1]", "s[5:1:-1]", "s[100:]", "s[:-100]",
    "u[7:9]", "u[-1]", "u[::-1]", "u[0:100:3]", "s[2:2]", "'%s is %d' % ('x', 3)", "'%s' % 'x'", "'%5d|%-5d|%05d' % (1, 2, 3)",
    "'%.2f' % 3.14159", "'%8.3f|' % 2.5", "'%x %X %o' % (255, 255, 8)", "'%e' % 12345.678", "'%g %g' % (0.00001, 100000)",
    "'%+d % d' % (5, 5)", "'%%' % ()", "'100%% %s' % 'sure'", "'%(a)s-%(b)d' % {'a': 'x', 'b': 2}", "'%r' % 'x'", "'%10s|%-10s|' % ('a', 'b')",
    "'%.3s' % 'abcdef'", "'%c%c' % ('a', 98)", "'%s' % [1, 2]", "'%s %s' % ('a', none)", "'%i' % 3.9", "'%d' % true",
    "'%5s' % 'é'", "'%#x' % 255",
    # Lists, tuples, dictionaries
    "xs[0]", "xs[-1]", "xs[5]", "xs[1:]", "xs[:-1]", "xs[::-1]", "xs[::2]", "xs[5:]", "xs[-2:]", "xs[2:0:-1]", "xs[true]", "xs + [4]", "[0] * 3",
    "xs * 0", "(1, 2) + (3,)", "(1, 2)[1]", "(1, 2, 3)[1:]", "d.one", "d['two']", "d.missing", "d['missing']", "nested.a.b[2].c",
    "nested['a']['b'][1]", "nested.a.b.0", "nested.a.b[-1]['c']", "d['get']('one')", "{'items': 5}['items']", "[1, [2, 3]][1][0]",
    "{1: 'a'}[1]", "{1: 'a'}[1.0]", "{1: 'a'}[true]", "{'a': 1, 'a': 2}", "nil.anything", "nil['x']", "n.real_attribute", "s.nope", "xs.nope",
    "xs['nope']", "xs[1.5]", "d[1]", "d[none]",
    # Comparisons, logic, membership
    "1 == 1.0", "1 == true", "'1' == 1", "none == false", "[] == []", "[1, 2] == [1, 2]", "[1] == (1,)", "{'a': 1} == {'a': 1.0}",
    "{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "undefined_name == undefined_name", "undefined_name == none", "1 != 2", "'a' < 'b'", "'a' < 'B'",
    "'abc' <= 'abd'", "1 < 2 < 3", "1 < 3 < 2", "1 < 2 > 0", "3 > 2 == 2", "[1, 2] < [1, 3]", "[1] < [1, 0]", "(1, 2) >= (1, 2)", "true < 2",
    "big == 9007199254740992.0", "1 and 2", "0 and 2", "1 or 2", "0 or ''", "'' or none", "not 1", "not ''", "not not n", "not none and 1",
    "1 and 0 or 3", "1 or 0 and 0", "not 1 == 2", "'ell' in s", "'x' in s", "'' in s", "1 in xs", "9 in xs", "9 not in xs", "'one' in d",
    "1 in d", "not 'one' in d", "'a' in undefined_name", "none in mixed", "[1, 2] in mixed", "1.0 in xs", "true in [1]", "2 in (1, 2)",
    "undefined_name and 1", "undefined_name or 'x'", "[] or {} or ''", "1 if true else 2", "1 if false else 2", "1 if false",
    "'a' if n > 5 else 'b' if n > 3 else 'c'", "'a' if n < 5 else 'b' if n > 6 else 'c'", "(1 if n) + 1", "n == 7 and s == 'Hello, World'",
    "n in [1, 7] and not e", "1 is defined and 2", "n > 3 is true", "'a' 'b' in 'cabd'",
    # Precedence of filters and tests
    "-5|abs", "1 + 2|string", "'a' ~ 'b'|upper", "[1, 2]|length + 1", "xs|length > 2", "not xs|length", "s|lower|length", "(s ~ 'x')|length",
    "2 * 'a'|length", "s.upper()|lower", "s|upper|replace('L', 'l')", "n is odd and n is number", "not n is even", "n is not even",
    "xs[0] is odd", "d.one is odd", "'x' if nil is none else 'y'", "undefined_name is defined or n", "n is divisibleby 7", "n is divisibleby(2)",
    "n is in [7]", "n is not in [7]", "s is string and s", "1 is number == true",
)

TESTS = output(
    *[f"[{', '.join(f'{value} is {test}' for value in ('undefined_name', 'nil', 'yes', 'n', 'f', 's', 'e', 'xs', 'd', '(1, 2)'))}]"
      for test in ("defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence", "iterable",
                   "true", "false", "callable")],
    *[f"{value} is {test}" for value in (0, 1, 2, -1, -2, 2.0, 3.5) for test in ("odd", "even", "divisibleby 2")],
    "4 is divisibleby 3", "9 is divisibleby(3)", "9 is divisibleby -3", "n is eq 7", "n is equalto 7", "n is == 7", "n is ne 7", "n is != 7",
    "n is gt 5", "n is greaterthan 9", "n is ge 7", "n is lt 5", "n is lessthan 9", "n is le 7", "n is >= 7", "n is sameas 7", "yes is sameas true",
    "1 is sameas true", "nil is sameas none", "'abc' is lower", "'aBc' is lower", "'ABC' is upper", "'A1' is upper", "'1' is upper", "s is lower",
    "'a' is in 'abc'", "'a' is in ['a']", "'z' is not in ['a']", "'upper' is filter", "'nope' is filter", "'odd' is test", "range is callable",
    "s.upper is callable", "d.get is defined", "d.nope is defined", "xs.append is defined", "namespace() is mapping", "range(3) is iterable",
    "d.items() is iterable", "d.items() is sequence", "(xs|map('string')) is sequence", "(xs|map('string')) is iterable", "nested.a.b[5] is defined",
    "nested.x is defined", "d['nope'] is not defined", "raise_exception is defined", "strftime_now is callable", "loop is defined", "s is escaped",
)

FILTERS = output(
    # Text
    "t|trim", "'xxaxx'|trim('x')", "'xyaxy'|trim('yx')", "n|trim", "s|upper", "s|lower", "u|upper", "'ÉÈß'|lower", "'straße'|upper", "s|title",
    "'foo-bar (baz) x'|title", "'fOO bAR'|title", "'fOO bAR'|capitalize", "u|capitalize", "e|capitalize", "s|replace('o', '0')", "s|replace('o', '0', 1)",
    "s|replace('', '-')", "s|replace('nope', 'x')", "'aaa'|replace('aa', 'b')", "n|replace(7, 8)", "s|replace(old='l', new='L')", "s|length", "u|length",
    "e|length", "html|e", "html|escape", "html|safe", "s|string", "n|string", "nil|string", "xs|string", "true|string ~ 'x'", "'a b  c'|wordcount",
    "u|wordcount", "'one\\ntwo\\n\\nthree'|indent", "'one\\ntwo\\n\\nthree'|indent(2)", "'one\\ntwo'|indent(2, true)", "'one\\n\\ntwo'|indent(2, false, true)",
    "'one\\ntwo'|indent('> ')", "'one\\ntwo\\n'|indent(width=3, first=true)", "e|indent", "'foo bar baz qux'|truncate(9)",
    "'foo bar baz qux'|truncate(9, true)", "'foo bar baz qux'|truncate(11)", "'foo bar baz qux'|truncate(11, false, '...', 0)",
    "'foo bar baz qux'|truncate(8, end='!', leeway=0)", "'x'|center(5) ~ '|'", "'%s-%s'|format(1, 'a')", "'%(x)s'|format(x=3)", "s|reverse", "u|reverse",
    "s|list", "u|list", "s|first", "s|last", "e|first", "e|last", "undefined_name|upper", "undefined_name|trim ~ '.'", "nil|upper", "xs|upper", "'  a '|trim|length",
    # Numbers
    "'42'|int", "' 42 '|int", "'x'|int", "'x'|int(5)", "'x'|int(default=-1)", "'42.9'|int", "3.99|int", "-3.99|int", "true|int", "none|int", "'0x1f'|int(base=16)",
    "'1f'|int(0, 16)", "'101'|int(base=2)", "'1_000'|int", "'-7'|int", "'+7'|int", "''|int", "xs|int", "'1e3'|int", "'1.5'|float", "'x'|float", "'x'|float(1.5)", "3|float",
    "'1e-3'|float", "'inf'|float", "'-Infinity'|float", "none|float", "' 2.5 '|float", "neg|abs", "-2.5|abs", "true|abs", "42.55|round", "42.55|round(1)", "42.45|round(1)", "2.675|round(2)", "0.5|round",
    "1.5|round", "2.5|round", "-2.5|round", "42.1|round(0, 'ceil')", "42.9|round(method='floor')", "42.123|round(2, 'ceil')", "42|round", "1234.5|round(-2)", "42.55|round|int", "true|round",
    # Defaults
    "undefined_name|default('x')", "undefined_name|d('x')", "undefined_name|default", "nil|default('x')", "nil|default('x', true)", "e|default('x')",
    "e|default('x', true)", "zero|default(5, boolean=true)", "n|default(5)", "d.nope|default('x')", "undefined_name|default(default_value='z')",
    "(undefined_name or {}).x|default('y')",
    # Sequences
    "xs|first", "xs|last", "[]|first", "[]|last", "d|first", "d|last", "xs|length", "d|length", "d|count", "undefined_name|length", "xs|join", "xs|join(', ')", "mixed|join('|')",
    "people|join(', ', attribute='name')", "people|join(attribute='info.city', d='-')", "s|join('.')", "d|join(',')", "undefined_name|join('x')", "xs|sort", "xs|sort(true)", "xs|sort(reverse=true)",
    "words|sort", "words|sort(case_sensitive=true)", "people|sort(attribute='age')|map(attribute='name')|list", "people|sort(attribute='name')|map(attribute='name')|join(' ')",
    "people|sort(attribute='age,name', reverse=true)|map(attribute='name')|list", "people|sort(attribute='info.city')|map(attribute='name')|list", "'hello'|sort", "d|sort", "xs|reverse|list",
    "words|unique|list", "words|unique(true)|list", "[1, 1.0, true, 2]|unique|list", "people|unique(attribute='age')|map(attribute='name')|list", "xs|min", "xs|max", "words|min", "words|max", "[]|min", "people|max(attribute='age')",
    "xs|sum", "people|sum(attribute='age')", "xs|sum(start=10)", "[]|sum", "[1.5, 2]|sum", "[[1], [2]]|sum(start=[])", "d|items|list", "d.items()|list", "undefined_name|items|list", "d|dictsort", "d|dictsort(by='value')",
    "d|dictsort(reverse=true)", "{'b': 1, 'A': 2}|dictsort", "{'b': 1, 'A': 2}|dictsort(true)", "d|dictsort(false, 'value', true)", "d|list", "undefined_name|list", "(1, 2)|list", "d.keys()|list", "d.values()|list",
    "xs|map('string')|join('-')", "words|map('upper')|list", "words|map('replace', 'p', 'P')|list", "people|map(attribute='name')|list", "people|map(attribute='tags.0')|list",
    "people|map(attribute='tags.0', default='none')|list", "people|map(attribute='nope')|list", "xs|select|list", "[0, 1, '', 'a', none]|select|list", "xs|select('odd')|list", "xs|select('gt', 1)|list",
    "xs|reject('odd')|list", "[0, 1]|reject|list", "people|selectattr('age', 'equalto', 31)|map(attribute='name')|list", "people|selectattr('tags')|map(attribute='name')|list",
    "people|rejectattr('tags')|map(attribute='name')|list", "people|selectattr('age', '>', 30)|list|length", "people|selectattr('info.city', 'in', ['Rome', 'Bonn'])|map(attribute='name')|join",
    "people|selectattr('nope', 'defined')|list", "people|rejectattr('nope', 'defined')|list|length", "people|selectattr('name', 'eq', 'bob')|first", "people|map(attribute='tags')|map('length')|list",
    "[[1, 2], [3]]|map('first')|list", "[[1, 2], [3]]|map(attribute=0)|list", "people|selectattr('name', 'ne', 'bob')|list|last", "undefined_name|map('upper')|list", "undefined_name|selectattr('x')|list",
    "1 if (people|selectattr('nope')) else 0", "1 if (people|selectattr('nope')|list) else 0", "range(5)|list", "range(2, 5)|list", "range(10, 0, -3)|list", "range(0)|list", "range(5)|sum", "range(3)|map('string')|join", "range(5)[-1]",
    "range(5)|last",
    # JSON
    "n|tojson", "f|tojson", "nil|tojson", "yes|tojson", "s|tojson", "q|tojson", "u|tojson", "u|tojson(ensure_ascii=true)", "'\\x01\\x7f\\u2028'|tojson", "xs|tojson", "(1, 2)|tojson", "d|tojson", "[]|tojson", "{}|tojson", "nested|tojson",
    "mixed|tojson", "nested|tojson(indent=2)", "nested|tojson(indent=4)", "mixed|tojson(indent=1)", "{'a': [], 'b': {}}|tojson(indent=2)", "xs|tojson(indent=0)", "d|tojson(separators=(',', ':'))", "d|tojson(sort_keys=true)",
    "d|tojson(indent='--')", "{1: 2, none: 3, true: 4, 1.5: 5}|tojson", "huge|tojson", "tiny|tojson", "1.0|tojson", "html|tojson", "people|tojson", "people[0]|tojson(indent=2)|indent(4)", "'é'|tojson(true)",
)

METHODS = output(
    "t.strip()", "t.lstrip()", "t.rstrip() ~ '|'", "'xxaxx'.strip('x')", "'abcba'.strip('ab')", "'...a'.lstrip('.')", "'a..'.rstrip('.')", "s.strip(none)", "s.upper()", "s.lower()", "'a bC dE'.title()", "\"they're\".title()", "'aBC'.capitalize()", "e.capitalize()",
    "s.split()", "s.split(',')", "s.split(', ')", "'a b  c '.split()", "'a b  c '.split(' ')", "'a,b,c,d'.split(',', 2)", "'a b c d'.split(none, 2)", "'  a b  c  '.split(none, 1)", "e.split()", "e.split(',')", "'a,b,c'.rsplit(',', 1)", "'a b c'.rsplit(none, 1)",
    "' a  b '.rsplit(none, 1)", "'a</think>b</think>c'.split('</think>')[-1]", "'a</think>b'.split('</think>')[0].split('<think>')[-1]", "'a\\nb\\r\\nc\\n\\nd'.splitlines()", "'a\\nb\\n'.splitlines(true)", "e.splitlines()", "s.startswith('Hell')", "s.startswith('x')",
    "s.startswith(('x', 'H'))", "s.startswith('')", "s.startswith('W', 7)", "s.endswith('ld')", "s.endswith(('a', 'd'))", "s.replace('o', '0')", "s.replace('o', '0', 1)", "s.replace('', '.')", "'aXbXc'.replace('X', '')", "s.find('o')", "s.find('o', 5)", "s.find('zzz')", "u.find('世')",
    "s.rfind('o')", "s.rfind('zzz')", "s.index('W')", "s.rindex('o')", "s.find('')", "s.count('o')", "s.count('')", "'aaaa'.count('aa')", "', '.join(words)", "''.join(['a', 'b'])", "'-'.join(s)", "','.join([])", "','.join(d)", "'{} and {}'.format(1, 'b')", "'{1}{0}{1}'.format('a', 'b')",
    "'{x}-{y}'.format(x=1, y=none)", "'{{}}{}'.format(1)", "'12'.isdigit()", "'1a'.isdigit()", "e.isdigit()", "'ab'.isalpha()", "'ab1'.isalpha()", "'ab1'.isalnum()", "' \\t'.isspace()", "e.isspace()", "'AB'.isupper()", "'ab'.islower()", "'a1'.islower()", "'1'.islower()", "'12'.isnumeric()",
    "s.removeprefix('Hello')", "s.removesuffix('World')", "s.removeprefix('x')", "'42'.zfill(5)", "'-42'.zfill(5)", "'42'.zfill(1)", "'a'.center(4) ~ '|'", "'ab'.center(5, '*')", "'a'.ljust(3, '.')", "'a'.rjust(3)", "'a-b-c'.partition('-')", "'a-b-c'.rpartition('-')", "'abc'.partition('-')",
    "'abc'.rpartition('-')", "s.casefold()", "d.get('one')", "d.get('x')", "d.get('x', 5)", "d.get('x', none)", "d.keys()|list", "d.values()|list|sum", "d.items()|list", "d.items()|length", "d.copy()", "xs.index(1)", "xs.count(1)", "xs.copy()", "(1, 2, 1).count(1)", "(1, 2).index(2)", "nested.get('a').get('b')[0]",
    "nested.get('x', {}).get('y', 'z')", "s.split(', ')[1].lower().strip('d')", "('a' ~ 'b').upper()", "['a', 'b'][0].upper()", "'a'.upper().lower().upper()", "'x'.join(['1', '2']).split('x')", "(s.lower())[0]", "s.__class__ is defined", "u.upper().lower()",
)

FUNCTIONS = output(
    "range(3)|list", "dict(a=1, b=2)", "dict({'x': 1}, y=2)", "dict([('a', 1)])", "dict()", "namespace(a=1).a", "namespace({'a': 5}).a", "namespace().x", "strftime_now('%Y-%m-%d')", "strftime_now('%d %b %Y')", "strftime_now('%d %B %Y, %A')", "strftime_now('%H:%M:%S')", "strftime_now('%j %y %I %p %%')", "strftime_now('')",
    "strftime_now('%-d/%-m')", "strftime_now('%Z%z')", "strftime_now('%f')", "strftime_now('%a %w %F %T')", "strftime_now('just text')", "joiner()()", "range(*[1, 4])|list", "dict(**{'k': 'v'})", "'{}{}'.format(*['a', 'b'])", "s.replace(*('l', 'L'))",
)

STATEMENTS = [
    # if
    "{% if n %}a{% endif %}", "{% if not n %}a{% else %}b{% endif %}", "{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}", "{% if nil %}a{% elif e %}b{% elif xs %}c{% elif d %}d{% endif %}",
    "{% if undefined_name %}a{% endif %}z", "{% if n %}{% if not yes %}a{% else %}b{% endif %}{% endif %}", "{% if n, 0 %}t{% endif %}",
    # for
    "{% for x in xs %}{{ x }},{% endfor %}", "{% for x in [] %}a{% else %}none{% endfor %}", "{% for x in undefined_name %}a{% else %}none{% endfor %}", "{% for c in 'añb' %}[{{ c }}]{% endfor %}", "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in ['xy', 'zw'] %}{{ b }}{{ a }}{% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{% endfor %}", "{% for x in xs if x > 10 %}{{ x }}{% else %}empty{% endfor %}", "{% for x in xs if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ loop.last }} {% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in (1, 2) %}{{ x }}{% endfor %}",
    "{% for p in people %}{{ loop.index }} {{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ loop.length }} {{ p.name }}\n{% endfor %}",
    "{% for p in people %}{{ loop.previtem.name if not loop.first }}<{{ p.name }}>{{ loop.nextitem.name if loop.nextitem is defined }};{% endfor %}", "{% for x in xs %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}", "{% for x in [1,2,3,4,5] %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}",
    "{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {% endfor %}", "{% for x in xs %}{% for y in xs %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}", "{% for x in xs %}{% set outer = loop %}{% for y in xs %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}", "{% for x in xs %}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in range(10) %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in range(6) %}{% if x is odd %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in range(3) %}{% for y in range(3) %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{% break %}{% else %}none{% endfor %}z", "{% for x in xs|sort|reverse %}{{ x }}{% endfor %}", "{% for p in people|selectattr('tags') %}{{ p.name }}{{ loop.length }}{% endfor %}", "{% for x in d.values() %}{{ x }}{{ loop.last }}{% endfor %}", "{% for i in range(0, 10, 4) %}{{ i }}{% endfor %}",
    "{% for x in xs %}{% set y = x * 2 %}{{ y }}{% endfor %}{{ y }}", "{% set y = 1 %}{% for x in xs %}{{ y }}{% set y = y + x %}{{ y }};{% endfor %}{{ y }}", "{% set x = 'outer' %}{% for x in xs %}{{ x }}{% endfor %}{{ x }}", "{% for loop_item in [[1,2],[3]] %}{% for z in loop_item %}{{ z }}{% endfor %}|{% endfor %}",
    "{% for m in people[::-1] %}{{ m.name }}{% endfor %}", "{% for i in range(people|length - 1, -1, -1) %}{{ people[i].name }}{% endfor %}", "{% for x in xs if loop_unused is not defined %}{{ x }}{% endfor %}", "{% set ns = namespace(go=true) %}{% for x in xs if ns.go %}{{ x }}{% if x == 1 %}{% set ns.go = false %}{% endif %}{% endfor %}",
    # set
    "{% set a = 1 %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set a %}text {{ n }}{% endset %}[{{ a }}]", "{% set a | upper %}text {{ n }}{% endset %}[{{ a }}]", "{% set a | trim | replace('t', 'T') %}  text  {% endset %}[{{ a }}]",
    "{% set a %}{% set b = 1 %}{{ b }}{% endset %}{{ a }}{{ b is defined }}", "{% set ns = namespace(x=0, y='') %}{% for i in xs %}{% set ns.x = ns.x + i %}{% set ns.y = ns.y ~ i %}{% endfor %}{{ ns.x }} {{ ns.y }}", "{% set ns = namespace() %}{% set ns.a = [1] %}{% set ns.a = ns.a + [2] %}{{ ns.a }}{{ ns.b is defined }}",
    "{% set ns = namespace(found=false) %}{% for m in people %}{% if m.age == 25 and not ns.found %}{% set ns.found = true %}{{ m.name }}{% endif %}{% endfor %}{{ ns.found }}", "{% if yes %}{% set inner = 1 %}{% endif %}{{ inner }}", "{% set a = [] %}{% set a = a + ['x'] %}{{ a }}", "{% set ns = namespace() %}{% set ns.t %}block{% endset %}{{ ns.t }}",
    "{% set ns = namespace(a=1) %}{% set ns.a, z = 5, 6 %}{{ ns.a }}{{ z }}", "{% set x = s.upper %}{{ x() }}", "{% set f = range %}{{ f(2)|list }}", "{% set s = 'shadow' %}{{ s }}", "{% set a = b = 1 %}",
    # with
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}", "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}",
    # macros
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}", "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs|length }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}inside {{ n }}{% endcall %}", "{% macro m(xs) %}{% for x in xs %}{{ caller(x) }};{% endfor %}{% endmacro %}{% call(v) m(xs) %}<{{ v }}>{% endcall %}", "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro f(n) %}{% if n > 1 %}{{ n }}{{ f(n - 1) }}{% else %}.{% endif %}{% endmacro %}{{ f(4) }}", "{% macro m() %}{{ n }}{% set n = 1 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}", "{% macro m() %}{{ later }}{% endmacro %}{% set later = 'L' %}{{ m() }}", "{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}|{{ m('a') }}|",
    "{% macro m(x) %}a{{ x }}{% endmacro %}{{ m('b')|upper }}{{ m('c') ~ 'd' }}{{ m('e')|length }}", "{% macro a() %}A{% endmacro %}{% macro b() %}{{ a() }}B{% endmacro %}{{ b() }}", "{% macro m(x, y=[]) %}{{ y + [x] }}{% endmacro %}{{ m(1) }}{{ m(2) }}", "{{ m is defined }}{% macro m() %}{% endmacro %}{{ m is callable }}{{ m.name }}",
    "{% for x in xs %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m('x', **{'b': 'y'}) }}{{ m(*['p', 'q']) }}", "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}o{% endmacro %}{{ outer() }}",
    "{% macro m(t) %}{% if t is mapping %}{{ '{' }}{% for k, v in t|items %}{{ k }}:{{ m(v) }}{% if not loop.last %},{% endif %}{% endfor %}{{ '}' }}{% elif t is string %}'{{ t }}'{% elif t is iterable %}[{% for v in t %}{{ m(v) }}{{ ',' if not loop.last }}{% endfor %}]{% else %}{{ t }}{% endif %}{% endmacro %}{{ m(people) }}",
    # filter, generation, raw, comments
    "{% filter upper %}abc {{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}banana{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter trim %}  x {% filter upper %}y{% endfilter %}  {% endfilter %}", "a{% generation %}b{{ n }}{% endgeneration %}c", "{% for x in xs %}{% generation %}{{ x }}{% endgeneration %}\n{% endfor %}",
    "{% raw %}{{ n }} {% if %} {# x #}{% endraw %}", "a{%- raw -%}  x  {%- endraw -%}  b", "a {% raw %} x {% endraw %} b", "{% raw %}\n{{ x }}\n{% endraw %}\nb", "{# comment #}a{# {{ n }} {% if %} #}b", "a\n{# c #}\nb", "a {#- c -#} b", "a\n  {#- c +#}\nb", "a{# multi\nline #}b", "{##}x{#-#} y",
    "{% set j = joiner('; ') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}", "{% set c = cycler('odd', 'even') %}{% for x in xs %}{{ c.next() }} {% endfor %}{{ c.current }}{{ c.reset() }}{{ c.current }}",
    # Text and delimiters
    "", "plain", "a { b } c", "a {b} %} }} #}", "{{ '{{' }}{{ '}}' }}", "{{ '{%' ~ '%}' }}", "a\r\nb\rc\n", "line\n", "line\n\n", "\n", "{{ n }}\n", "\n{{ n }}", "é世🎉", "{{n}}{{-n}}", "{{ n -}} x", "{{'a'}}{{\"b\"}}", "{%if n%}x{%endif%}", "{{\nn\n}}", "{{ n\n  +\n  1 }}", "$ {{ n }} ${n}", "{{ {} }}", "{{ {'a': 1}['a'] }}",
    "{{ 'multi\nline' }}", "{{ 'cr\r\nlf' }}",
]

ERRORS = [
    "{{", "{{ }}", "{{ n", "{% if n %}", "{% endif %}", "{% if %}{% endif %}", "{% for x in xs %}", "{% for in xs %}{% endfor %}", "{% for x xs %}{% endfor %}", "{% nope %}", "{% else %}", "{{ n + }}", "{{ + }}", "{{ (1 }}", "{{ [1 }}", "{{ 1) }}", "{{ {1} }}", "{{ {'a' 1} }}", "{{ 'a }}", "{# open", "{% raw %}x", "{{ a.b. }}", "{{ a[ }}",
    "{{ a[] }}", "{{ f( }}", "{{ f(a=1, 2) }}", "{{ n|nope }}", "{{ n is nope }}", "{{ n| }}", "{{ n is }}", "{% set = 1 %}", "{% set 1 = 1 %}", "{% set none = 1 %}", "{% set a %}", "{% macro m( %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{% break %}", "{% continue %}", "{{ 1 2 }}", "{{ a b }}", "{% if n %}{% endfor %}", "{{ n ? 1 : 2 }}",
    "{{ n && 1 }}", "{{ !n }}", "{{ 'a' is string is string }}", "{% for x in xs %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", "{% if n %}{% else %}{% else %}{% endif %}", "{% call n %}{% endcall %}", "{% for true in xs %}{% endfor %}", "{% set x.y.z = 1 %}", "{% filter nope %}x{% endfilter %}", "{{ @ }}", "{{ 12abc }}", "{{ 012 }}",
    "{{ undefined_name.x }}", "{{ undefined_name['x'] }}", "{{ undefined_name() }}", "{{ undefined_name + 1 }}", "{{ undefined_name + 'a' }}", "{{ 'a' + undefined_name }}", "{{ undefined_name < 1 }}", "{{ -undefined_name }}", "{{ d.x.y }}", "{{ nil.x.y }}", "{{ n() }}", "{{ s() }}", "{{ s.nope() }}", "{{ d.nope() }}", "{{ nil + 'a' }}", "{{ 'a' + 1 }}", "{{ 1 + 'a' }}", "{{ [1] + (2,) }}", "{{ [1] + 1 }}",
    "{{ 'a' - 'b' }}", "{{ 'a' * 'b' }}", "{{ 'a' * 1.5 }}", "{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1.0 / 0 }}", "{{ 0 ** -1 }}", "{{ 1 < 'a' }}", "{{ none < 1 }}", "{{ [1] < 1 }}", "{{ {} < {} }}", "{{ 1 in 1 }}", "{{ 1 in 'a' }}", "{{ 1 in none }}", "{{ [1] in d }}", "{{ 'x'[::0] }}", "{{ xs[::0] }}", "{{ xs['a':] }}", "{{ -'a' }}", "{{ +'a' }}", "{{ -none }}",
    "{{ {[1]: 2} }}", "{{ {{}: 2} }}", "{% for x in n %}{% endfor %}", "{% for x in nil %}{% endfor %}", "{% for a, b in xs %}{% endfor %}", "{% for a, b in [[1]] %}{% endfor %}", "{% set a, b = 1, 2, 3 %}", "{% set a, b = 1 %}", "{% set n.x = 1 %}", "{% set zz.x = 1 %}", "{% set d.x = 1 %}", "{{ xs.append(1) }}", "{{ xs.pop() }}", "{{ xs.sort() }}", "{{ d.update({}) }}", "{{ d.pop('one') }}", "{{ d.clear() }}", "{{ d.setdefault('z', 1) }}", "{{ xs.extend([1]) }}",
    "{{ xs.insert(0, 1) }}", "{{ xs.remove(1) }}", "{{ s.__class__.__mro__ }}", "{{ ().__class__.__bases__ }}", "{{ n|length }}", "{{ nil|length }}", "{{ xs|map('nope')|list }}", "{{ xs|select('nope')|list }}", "{{ xs|map|list }}", "{{ (xs|map('string'))|length }}", "{{ (xs|map('string'))|last }}", "{{ xs|map(attribute='a', foo=1)|list }}", "{{ people|selectattr|list }}", "{{ [1, 'a']|sort }}", "{{ [none, 1]|sort }}", "{{ [1, 'a']|max }}",
    "{{ ['a']|sum }}", "{{ undefined_name|tojson }}", "{{ namespace()|tojson }}", "{{ d.items()|tojson }}", "{{ range|tojson }}", "{{ {(1, 2): 3}|tojson }}", "{{ n|join }}", "{{ ','.join([1]) }}", "{{ ','.join(n) }}", "{{ s.split('') }}", "{{ s.index('zzz') }}", "{{ xs.index(99) }}", "{{ s.startswith(1) }}", "{{ s.replace('a') }}", "{{ s.replace(1, 2) }}", "{{ s.strip(1) }}", "{{ s.find() }}", "{{ s.upper(1) }}", "{{ d.get() }}", "{{ d.get([]) }}",
    "{{ s|abs }}", "{{ s|round }}", "{{ 1.5|round(method='nope') }}", "{{ undefined_name|int }}", "{{ xs|items }}{{ xs|items|list }}", "{{ n|dictsort }}", "{{ d|dictsort(by='x') }}", "{{ '%d' % 'a' }}", "{{ '%s %s' % ('a',) }}", "{{ '%s' % ('a', 'b') }}", "{{ '%q' % 1 }}", "{{ '%' % 1 }}", "{{ '%(a)s' % {'b': 1} }}", "{{ '{} {}'.format(1) }}", "{{ '{x}'.format(1) }}", "{{ '{'.format(1) }}", "{{ range(0, 10, 0) }}", "{{ range('a') }}", "{{ range() }}", "{{ range(1000000)|length }}",
    "{{ raise_exception('no') }}", "{% if n %}{{ raise_exception('no ' ~ s) }}{% endif %}", "{% macro m() %}{{ raise_exception('inside') }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}", "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", "{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ n is divisibleby 0 }}", "{{ s is divisibleby 2 }}", "{{ s is odd }}", "{{ n is gt 'a' }}", "{{ n is in 5 }}", "{{ loop.index }}", "{{ xs|first(1) }}", "{{ s|replace('a') }}", "{{ s|default(1, 2, 3) }}", "{{ s|upper(1) }}", "{{ namespace(1) }}", "{{ dict(1) }}", "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{{ loop }}{% for x in xs %}{{ loop.cycle() }}{% endfor %}", "{{ 2 ** 0.5 ** 'a' }}",
    "{{ 'abc'|truncate(2) }}", "{{ '12'|int(base=99) }}", "{{ strftime_now() }}", "{{ caller() }}", "{{ d.items()[0].x }}", "{{ cycler() }}", "{{ 'a'|center('x') }}", "{{ 'a'.center(5, 'ab') }}", "{% set ns = namespace() %}{{ ns.x.y }}",
]


def whitespace():
    """Every pair of signs on every kind of tag, in surroundings where they make a difference."""
    signs = ["", "-", "+"]
    surroundings = [("a ", " b"), ("a\n", "\nb"), ("a\n  ", "  \n  b"), ("  ", "\n"), ("a \n\t ", " \t\n\n b"), ("", "")]
    for (left, right), (before, after) in itertools.product(itertools.product(signs, signs), surroundings):
        yield before + "{%" + left + " set x = 1 " + right + "%}" + after
        yield before + "{#" + left + " c " + right + "#}" + after
        yield before + "{%" + left + " if n " + right + "%}" + after + "{%" + left + " endif " + right + "%}" + after
        if right != "+":
            yield before + "{{" + left + " 'x' " + right + "}}" + after
    for left, right in itertools.product(["", "-", "+"], ["", "-", "+"]):
        yield "a\n  {%" + left + " raw %}  \n r \n {% endraw " + right + "%}\n b"
        yield "a\n  {%" + left + " for x in xs " + right + "%}\n  [{{ x }}]\n  {%" + left + " endfor " + right + "%}\n b"
    yield from [
        "{% if n %}\n  {% if yes %}\n    deep\n  {% endif %}\n{% endif %}\nend", "  {% if n %} x {% endif %}  ", "a {% if n %}\n b{% endif %}\n", "{{ n }}\n{% set a = 1 %}\n{{ n }}\n", "{{ n }}  {% set a = 1 %}\nb", "{{ n }}\n  {% set a = 1 %}  \nb", "\t{% if n %}\tx\t{% endif %}\t\n",
        "{% set a = 1 %}  {% set b = 2 %}\nz", "a\n\n{%- if n %}\n\nb{%- endif %}\n\n", "a  {{- ' x ' -}}  b", "a\n{{- n -}}\nb", "x\u00a0{%- if n -%}\u00a0y{%- endif -%}\u2003z", "{% for x in xs -%}\n  {{ x }}\n{%- endfor %}", "{%- for x in xs %}\n{{ x }}\n{%- endfor -%}\n", "a{% if n %}\n\n{% endif %}b", "{#- a -#}\n\n{#- b -#}\nc", "x {#- a #} y {# b -#} z",
    ]


def all_pairs():
    for template in itertools.chain(EXPRESSIONS, TESTS, FILTERS, METHODS, FUNCTIONS, STATEMENTS, ERRORS, whitespace()):
        yield template, DATA
    yield from jinja_families.pairs()


class Numbering:
    """Values that many lines share, each written once."""

    def __init__(self):
        self.values = []

    def number(self, value):
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)


def render(environment, template, context):
    try:
        return {"rendered": environment.from_string(template).render(**context)}
    except Exception as error:  # any refusal will do; the reason is for readers of the file
        return {"error": f"{type(error).__name__}: {error}"[:120]}


def main():
    environment = make_environment()
    families, contexts = Numbering(), Numbering()
    lines = {}
    for template, context in all_pairs():
        shared = template in jinja_families.FAMILIES.values()
        line = {"template": families.number(template) if shared else template, "context": contexts.number(context)}
        lines[json.dumps(line, ensure_ascii=False)] = line | render(environment, template, context)
    first = {"templates": families.values, "contexts": contexts.values}
    path = pathlib.Path(__file__).with_name("jinja_golden.jsonl")
    with path.open("w", encoding="utf-8") as file:
        for line in [first, *lines.values()]:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    errors = sum("error" in line for line in lines.values())
    print(f"{len(lines)} pairs, {errors} of them errors")


if __name__ == "__main__":
    main()
