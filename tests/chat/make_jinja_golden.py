#!/usr/bin/env python3
"""Renders the pairs of jinja_snippets, jinja_statements and jinja_families with Python's jinja2.

Writes jinja_golden.jsonl beside this file; chat_template_test.cpp replays it. Run it after a change to the
templates, in a virtual environment that has jinja2 (3.1): python make_jinja_golden.py
The environment is set up as transformers does it for chat templates. The first line has what many others
share (long templates, contexts); the others are {template, context} with `rendered`, or with `error` where
jinja2 refuses to parse or to render.
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

import jinja_families
import jinja_snippets
import jinja_statements

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
    layout = {"indent": indent, "separators": separators}
    return json.dumps(x, ensure_ascii=ensure_ascii, sort_keys=sort_keys, **layout)


def make_environment():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = NOW.strftime
    return environment


def all_pairs():
    snippets, statements = jinja_snippets, jinja_statements
    for templates in (
        snippets.EXPRESSIONS, snippets.TESTS, snippets.FILTERS, snippets.METHODS, snippets.FUNCTIONS,
        statements.STATEMENTS, statements.ERRORS, statements.whitespace(),
    ):
        for template in templates:
            yield template, snippets.DATA
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
        name = families.number(template) if template in jinja_families.FAMILIES.values() else template
        line = {"template": name, "context": contexts.number(context)}
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
