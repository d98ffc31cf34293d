"""Structured output with the real model: what ends validates, whatever else a request asks for."""

import concurrent.futures
import json
import os
import pathlib
import re
import unittest

import jsonschema
import openai
import pydantic

from quire_server import KV_BYTES_A_TOKEN, QuireServer, ServedTest
from structured_schemas import SCHEMAS

TEMPLATE = str(pathlib.Path(__file__).with_name("tools_template.jinja"))
PROMPT = "A short list of facts about a cat, as JSON:\n"
CAT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 30},
        "colours": {"type": "array", "items": {"enum": ["black", "white", "red"]}, "minItems": 1, "maxItems": 3},
    },
    "required": ["name", "age", "colours"],
    "additionalProperties": False,
}


class Animal(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=20)
    legs: int = pydantic.Field(ge=0, le=8)
    sound: str | None = pydantic.Field(max_length=20)


def structured(**constraint):
    return {"structured_outputs": constraint}


class StructuredOutputTest(ServedTest):
    def ask(self, text="Describe a cat.", **options):
        options = {"temperature": 0, "max_tokens": 200, **options}
        return self.client.chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": text}], **options
        )

    def cats(self, **options):
        """The texts of an answer that all ended by themselves and validate."""
        options = {"temperature": 1, "seed": 3, "max_tokens": 120, "extra_body": {}, **options}
        options["extra_body"] = {**structured(json=CAT), **options["extra_body"]}
        answer = self.complete(PROMPT, **options)
        for choice in answer.choices:
            self.assertEqual(choice.finish_reason, "stop", choice.text)
            jsonschema.validate(json.loads(choice.text), CAT)
        return [choice.text for choice in answer.choices]

    def test_the_official_client_parses_into_a_model(self):
        answer = self.client.chat.completions.parse(
            model=self.model,
            messages=[{"role": "user", "content": "Describe a dog."}],
            response_format=Animal,
            max_tokens=200,
        )
        self.assertIsInstance(answer.choices[0].message.parsed, Animal)

    def test_response_formats(self):
        schema = {"type": "json_schema", "json_schema": {"name": "cat", "strict": True, "schema": CAT}}
        jsonschema.validate(json.loads(self.ask(response_format=schema).choices[0].message.content), CAT)
        for text in ("Give me a small JSON object.", "Describe a cat."):
            choice = self.ask(text, response_format={"type": "json_object"}, max_tokens=400).choices[0]
            self.assertEqual(choice.finish_reason, "stop", choice.message.content)
            self.assertIsInstance(json.loads(choice.message.content), dict)
        self.assertFalse(self.ask(response_format={"type": "text"}, max_tokens=5).choices[0].message.content[0] == "{")

    def test_schemas_of_generators(self):
        """What OpenAPI writes and a validator does not know constrains nothing."""
        schema = {
            "type": "object", "required": ["path", "size"], "additionalProperties": False, "xml": {"name": "file"},
            "properties": {
                "path": {"type": "string", "format": "path", "maxLength": 12, "nullable": True},
                "size": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 999, "example": 5},
            },
        }
        wanted = {"type": "json_schema", "json_schema": {"name": "file", "strict": True, "schema": schema}}
        choice = self.ask("Name a file.", response_format=wanted).choices[0]
        self.assertEqual(choice.finish_reason, "stop")
        jsonschema.validate(json.loads(choice.message.content), schema)

    def test_what_need_not_be_strict(self):
        """is kept to as far as it can be."""
        schema = {"type": "array", "items": {"enum": [1, 2]}, "minItems": 2, "maxItems": 3}
        for strict in (True, None, False):
            named = {"name": "numbers", "schema": {**schema, "uniqueItems": True}, "strict": strict}
            wanted = {"response_format": {"type": "json_schema", "json_schema": named}}
            if strict is False:
                jsonschema.validate(json.loads(self.ask(**wanted).choices[0].message.content), schema)
                continue
            with self.assertRaisesRegex(openai.BadRequestError, "'uniqueItems'"):
                self.ask(**wanted)

    def test_forms_of_llama_server(self):
        for kind in ("json_object", "json_schema"):
            content = self.ask(response_format={"type": kind, "schema": CAT}).choices[0].message.content
            jsonschema.validate(json.loads(content), CAT)

    def test_other_kinds(self):
        cases = [
            (structured(regex="[A-Z][a-z]{2,8} [0-9]{2}"), r"[A-Z][a-z]{2,8} [0-9]{2}"),
            ({"guided_regex": "(red|blue){1,3}"}, "(red|blue){1,3}"),
            (structured(choice=["meow", "woof", "moo"]), "meow|woof|moo"),
            ({"guided_choice": ["meow", "woof"]}, "meow|woof"),
            (structured(grammar='root ::= "<" [a-z]{1,5} ">"'), "<[a-z]{1,5}>"),
            ({"guided_grammar": 'root ::= "a" | "b"'}, "a|b"),
            ({"guided_json": {"type": "boolean"}}, "true|false"),
            ({"guided_json": json.dumps({"type": "null"})}, "null"),
            (
                structured(structural_tag={"type": "structural_tag", "format": {"type": "sequence", "elements": [
                    {"type": "const_string", "value": "Answer: "}, {"type": "json_schema", "json_schema": {"enum": [1, 2]}}]}}),
                "Answer: (1|2)",
            ),
        ]
        for body, pattern in cases:
            with self.subTest(body=body):
                answer = self.complete("An animal says", max_tokens=64, extra_body=body)
                self.assertEqual(answer.choices[0].finish_reason, "stop")
                self.assertTrue(re.fullmatch(pattern, answer.choices[0].text), answer.choices[0].text)
                chat = self.ask(extra_body=body)
                self.assertTrue(re.fullmatch(pattern, chat.choices[0].message.content))

    def test_with_everything_else(self):
        for options in [
            {"n": 4},
            {"n": 2, "extra_body": {"best_of": 4}},
            {"temperature": 0, "n": 2, "extra_body": {"use_beam_search": True, "best_of": 3}},
            {"presence_penalty": 1.5, "frequency_penalty": 0.5},
            {"extra_body": {"repetition_penalty": 1.3, "top_k": 20, "min_p": 0.01}},
            {"logit_bias": {"30": 20, "2": 100, "0": 100}},
            {"extra_body": {"min_tokens": 100}},
            {"logprobs": 3},
            {"top_p": 0.9, "extra_body": {"cache_salt": "x"}},
        ]:
            with self.subTest(options=options):
                self.cats(**options)

    def test_what_is_allowed_is_drawn_as_the_model_has_it(self):
        choices = {"yes", "no", "maybe"}
        texts = [self.complete(PROMPT, temperature=2, seed=seed, extra_body={"guided_choice": sorted(choices)}).choices[0].text
                 for seed in range(60)]
        self.assertEqual(set(texts), choices)

    def test_a_dead_end_costs_nobody_else_anything(self):
        dead = {"guided_grammar": 'root ::= "a" b\nb ::= b "x"'}
        for options in {"temperature": 0}, {"temperature": 1, "n": 3}, {"n": 2, "extra_body": {"use_beam_search": True}}:
            body = {**options.pop("extra_body", {}), **dead}
            with self.subTest(**options), self.assertRaises(openai.BadRequestError) as refused:
                self.complete(PROMPT, extra_body=body, **options)
            self.assertIn("grammar", str(refused.exception))
        with self.assertRaises(openai.BadRequestError):  # two outputs of which there is one
            self.complete(PROMPT, n=2, extra_body={"use_beam_search": True, "guided_choice": ["a"]})
        self.assertEqual(self.complete(PROMPT, extra_body={"guided_choice": ["a"]}).choices[0].text, "a")

    def test_a_stream_says_the_same(self):
        whole = self.cats()[0]
        stream = self.complete(
            PROMPT, temperature=1, seed=3, max_tokens=120, stream=True, extra_body=structured(json=CAT)
        )
        chunks = list(stream)
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), whole)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_stop_strings_still_end_it(self):
        answer = self.complete(PROMPT, temperature=0, max_tokens=100, stop=['"age"'], extra_body=structured(json=CAT))
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertTrue(answer.choices[0].text.startswith("{"))
        self.assertNotIn("age", answer.choices[0].text)

    def test_the_same_whoever_shares_the_batch(self):
        def alone(seed):
            return self.cats(seed=seed)[0]

        def free(seed):
            return self.complete(PROMPT, temperature=1, seed=seed, max_tokens=60).choices[0].text

        constrained, others = [alone(seed) for seed in range(6)], [free(seed) for seed in range(6)]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            together = [pool.submit(alone, seed) for seed in range(6)]
            beside = [pool.submit(free, seed) for seed in range(6)]
            self.assertEqual([future.result() for future in together], constrained)
            self.assertEqual([future.result() for future in beside], others)

    def test_the_same_after_preemption(self):
        expected = [self.cats(seed=seed)[0] for seed in range(6)]
        for mode in ["recompute", "swap"]:
            flags = ["--kv-cache-memory-bytes", str(192 * KV_BYTES_A_TOKEN), "--preemption-mode", mode,
                     "--max-model-len", "160", "--no-enable-prefix-caching", "--expected-output-tokens", "1"]
            if mode == "swap":
                flags += ["--swap-space", "64MiB"]
            with QuireServer(*flags) as server:
                client = server.client()

                def ask(seed, client=client):
                    return client.completions.create(
                        model=self.model, prompt=PROMPT, temperature=1, seed=seed, max_tokens=120,
                        extra_body=structured(json=CAT),
                    ).choices[0].text

                with concurrent.futures.ThreadPoolExecutor(6) as pool:
                    self.assertEqual(list(pool.map(ask, range(6))), expected)
                self.assertGreater(server.metric("vllm:num_preemptions_total"), 0)

    def test_errors_name_the_field(self):
        deep = {"type": "string"}
        for _ in range(45):
            deep = {"type": "array", "items": deep}
        cases = [
            ({"response_format": {"type": "xml"}}, "response_format", "json_schema"),
            ({"response_format": {"type": "json_schema"}}, "response_format", "required"),
            ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "response_format", "schema"),
            ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"not": {}}}}},
             "response_format", "'not'"),
            ({"response_format": {"type": "json_object", "schema": {"not": {}}}}, "response_format", "'not'"),
            ({"response_format": {"type": "json_schema", "schema": {}, "json_schema": {"name": "x", "schema": {}}}},
             "response_format", "one kind"),
            ({"response_format": {"type": "structural_tag"}}, "response_format", "format"),
            (structured(), "structured_outputs", "needs one of"),
            (structured(json_object=False), "structured_outputs", "needs one of"),
            (structured(json={"type": "text"}), "structured_outputs", "'text'"),
            (structured(json="{"), "structured_outputs", "JSON"),
            (structured(json=5), "structured_outputs", "object"),
            (structured(regex="(?=x)"), "structured_outputs", "look-around"),
            (structured(regex="((a{1,99}){1,99}){1,99}"), "structured_outputs", "written out"),
            (structured(choice=[]), "structured_outputs", "choice"),
            (structured(choice=[1]), "structured_outputs", "string"),
            (structured(grammar="root ::= nothing"), "structured_outputs", "nothing"),
            (structured(grammar='start: "a"'), "structured_outputs", "root ::="),
            (structured(regex="a", choice=["b"]), "structured_outputs", "one kind"),
            (structured(rgex="a"), "structured_outputs", "regex"),
            ({**structured(regex="a"), "guided_regex": "b"}, "guided_regex", "together"),
            ({**structured(regex="a"), "ignore_eos": True}, "ignore_eos", "ends"),
            ({"guided_json": {"uniqueItems": True}}, "guided_json", "'uniqueItems'"),
            ({"guided_json": deep}, None, None),
            ({"guided_choice": "yes"}, "guided_choice", "array"),
        ]
        for body, param, message in cases:
            with self.subTest(body=body):
                if param is None:
                    self.complete(PROMPT, max_tokens=2, extra_body=body)
                    continue
                with self.assertRaises(openai.BadRequestError) as caught:
                    self.complete(PROMPT, max_tokens=2, extra_body=body)
                self.assertEqual(caught.exception.param, param)
                self.assertIn(message, caught.exception.message)

    def test_a_grammar_is_compiled_once(self):
        self.cats()
        hits = self.server.metric("quire:grammar_cache_hits_total")
        misses = self.server.metric("quire:grammar_cache_misses_total")
        self.cats()
        self.assertEqual(self.server.metric("quire:grammar_cache_hits_total"), hits + 1)
        self.assertEqual(self.server.metric("quire:grammar_cache_misses_total"), misses)

    def test_what_stops_validates(self):
        """Ten schemas, or all fifty with ten draws each."""
        long = bool(os.environ.get("QUIRE_LONG"))
        jobs = [(prompt, schema, seed) for prompt, schema in (SCHEMAS if long else SCHEMAS[:10])
                for seed in range(10 if long else 2)]

        def run(job):
            prompt, schema, seed = job
            answer = self.ask(prompt + " Answer in JSON.", temperature=0.8, seed=seed, max_tokens=300, response_format={
                "type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}})
            return job, answer.choices[0]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(run, jobs))
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        for (prompt, schema, _), choice in results:
            if choice.finish_reason == "stop":
                with self.subTest(prompt=prompt, text=choice.message.content):
                    value = json.loads(choice.message.content)
                    jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator, format_checker=checker)
        stopped = sum(choice.finish_reason == "stop" for _, choice in results)
        print(f"{stopped} of {len(results)} ended by themselves")
        self.assertGreaterEqual(stopped, 0.95 * len(results))


class ReasoningTest(ServedTest):
    """A model that reasons first: the form is that of what it says then, and its reasoning stays free."""

    flags = ("--chat-template", TEMPLATE)

    def ask(self, think, **options):
        return self.client.chat.completions.create(**{
            "model": self.model, "messages": [{"role": "user", "content": "How cold is it?"}], "temperature": 0,
            "max_tokens": 120, "extra_body": {"chat_template_kwargs": {"think": think}}, **options})

    def test_where_the_prompt_has_begun_it_and_where_the_model_may(self):
        schema = {"type": "json_schema", "json_schema": {"name": "cat", "schema": CAT}}
        for think in (True, False):
            with self.subTest(think=think):
                choice = self.ask(think, response_format=schema).choices[0]
                self.assertEqual(choice.finish_reason, "stop")
                self.assertEqual(choice.message.reasoning_content, "It is winter.")
                jsonschema.validate(json.loads(choice.message.content), CAT)

    def test_a_stream_and_the_responses_api(self):
        reasoning, content = "", ""
        for chunk in self.ask(True, response_format={"type": "json_object"}, stream=True, stop=["}"]):
            delta = chunk.choices[0].delta
            reasoning += getattr(delta, "reasoning_content", None) or ""
            content += delta.content or ""
        self.assertEqual(reasoning, "It is winter.")
        self.assertTrue(content.startswith("{"), content)
        answer = self.client.responses.create(
            model=self.model, input="How cold is it?", temperature=0, max_output_tokens=120,
            text={"format": {"type": "json_schema", "name": "cat", "schema": CAT}})
        jsonschema.validate(json.loads(answer.output_text), CAT)


if __name__ == "__main__":
    unittest.main()
