"""The official client with tools and reasoning, on the real model with a template that leads it to call."""

import json
import pathlib
import subprocess
import typing
import unittest
import urllib.request

import anthropic
import jsonschema
import openai
import pydantic

from quire_server import BINARY, MODEL, QuireServer, ServedTest

TEMPLATE = str(pathlib.Path(__file__).with_name("tools_template.jinja"))
QUESTION = {"role": "user", "content": "How cold is it?"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of now",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class ToolsTest(ServedTest):
    flags = ("--chat-template", TEMPLATE)

    def ask(self, messages=(QUESTION,), **options):
        options = {"temperature": 0, "max_tokens": 60, "parallel_tool_calls": False, "tools": [WEATHER], **options}
        return self.client.chat.completions.create(model=self.model, messages=list(messages), **options)

    def check_call(self, call):
        self.assertEqual(call.function.name, "get_weather")
        self.assertEqual(json.loads(call.function.arguments), {"city": "Oslo"})
        self.assertTrue(call.id)

    def test_a_call_and_its_result(self):
        answer = self.ask()
        choice = answer.choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.assertIsNone(choice.message.content)
        self.assertEqual(len(choice.message.tool_calls), 1)
        self.check_call(choice.message.tool_calls[0])
        self.assertLess(answer.usage.completion_tokens, 60)
        result = {"role": "tool", "tool_call_id": choice.message.tool_calls[0].id, "content": "-7 degrees"}
        again = self.ask([QUESTION, choice.message, result])
        self.assertGreater(again.usage.prompt_tokens, answer.usage.prompt_tokens)

    def test_a_stream(self):
        calls, pieces, reasons = {}, [], []
        for chunk in self.ask(stream=True):
            delta = chunk.choices[0].delta
            for call in delta.tool_calls or []:
                if call.index not in calls:
                    calls[call.index] = {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": ""}}
                else:
                    self.assertIsNone(call.id)
                    self.assertIsNone(call.function.name)
                calls[call.index]["function"]["arguments"] += call.function.arguments
                pieces.append(call.function.arguments)
            reasons.append(chunk.choices[0].finish_reason)
        self.assertEqual(reasons[-1], "tool_calls")
        self.assertEqual(list(calls), [0])
        self.assertTrue(calls[0]["id"])
        self.assertEqual(calls[0]["function"]["name"], "get_weather")
        self.assertEqual(json.loads(calls[0]["function"]["arguments"]), {"city": "Oslo"})
        self.assertGreater(len(pieces), 2)  # they come as they are written
        result = {"role": "tool", "tool_call_id": calls[0]["id"], "content": "-7 degrees"}
        again = self.ask([QUESTION, {"role": "assistant", "content": None, "tool_calls": list(calls.values())}, result])
        self.assertTrue(again.choices[0].finish_reason)

    def test_the_clients_own_stream(self):
        whole = self.ask().choices[0].message.tool_calls[0].function.arguments
        with self.client.chat.completions.stream(
            model=self.model, messages=[QUESTION], temperature=0, max_tokens=60, parallel_tool_calls=False, tools=[WEATHER]
        ) as stream:
            events = [event.type for event in stream]
            choice = stream.get_final_completion().choices[0]
        self.assertGreater(events.count("tool_calls.function.arguments.delta"), 2)
        self.assertEqual(events.count("tool_calls.function.arguments.done"), 1)
        self.check_call(choice.message.tool_calls[0])
        self.assertEqual(choice.message.tool_calls[0].function.arguments, whole)

    def test_a_call_that_is_cut_off_stands(self):
        whole = self.ask()
        arguments = whole.choices[0].message.tool_calls[0].function.arguments
        limit = whole.usage.completion_tokens - 2
        cut = self.ask(max_tokens=limit)
        self.assertEqual(cut.choices[0].finish_reason, "length")
        begun = cut.choices[0].message.tool_calls[0]
        self.assertTrue(arguments.startswith(begun.function.arguments))
        self.assertLess(len(begun.function.arguments), len(arguments))
        streamed = [chunk.choices[0].delta.tool_calls for chunk in self.ask(max_tokens=limit, stream=True)]
        text = "".join(call.function.arguments for calls in streamed for call in calls or [])
        self.assertEqual(text, begun.function.arguments)
        result = {"role": "tool", "tool_call_id": begun.id, "content": "?"}
        self.assertTrue(self.ask([QUESTION, cut.choices[0].message, result]).choices)

    def test_a_stream_of_messages(self):
        offered = {"name": "get_weather", "description": "Weather of now", "input_schema": WEATHER["function"]["parameters"]}
        options = {"model": self.model, "extra_body": {"temperature": 0}, "tools": [offered], "messages": [QUESTION],
                   "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
        with anthropic.Anthropic(base_url=self.server.url, api_key="none", max_retries=0) as client:
            with client.messages.stream(max_tokens=60, **options) as stream:
                pieces = [event.partial_json for event in stream if event.type == "input_json"]
                message = stream.get_final_message()
            self.assertEqual(message.stop_reason, "tool_use")
            self.assertGreater(len(pieces), 2)
            block, = message.content
            self.assertEqual((block.type, block.name, block.input), ("tool_use", "get_weather", {"city": "Oslo"}))
            turns = [{"role": "assistant", "content": message.content},
                     {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "-7 degrees"}]}]
            again = client.messages.create(max_tokens=20, **{**options, "messages": [QUESTION, *turns]})
            self.assertGreater(again.usage.input_tokens, 0)
            cut = client.messages.create(max_tokens=message.usage.output_tokens - 2, **options)
            self.assertEqual(cut.stop_reason, "max_tokens")
            self.assertEqual([block.input for block in cut.content], [{}])

    def test_a_stream_of_a_response(self):
        function = {"type": "function", **WEATHER["function"], "strict": False}
        options = {"model": self.model, "tools": [function], "temperature": 0, "parallel_tool_calls": False}
        deltas, done, final = [], [], None
        for event in self.client.responses.create(input="How cold is it?", stream=True, max_output_tokens=60, **options):
            if event.type == "response.function_call_arguments.delta":
                deltas.append(event.delta)
            elif event.type == "response.function_call_arguments.done":
                done.append(event.arguments)
            elif event.type == "response.completed":
                final = event.response
        self.assertGreater(len(deltas), 2)
        self.assertEqual("".join(deltas), *done)
        call, = final.output
        self.assertEqual((call.name, call.status, call.arguments), ("get_weather", "completed", *done))
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "-7 degrees"}
        again = self.client.responses.create(
            input=[result], previous_response_id=final.id, max_output_tokens=10, **options)
        self.assertGreater(again.usage.input_tokens, final.usage.input_tokens)

    def test_anthropics_tool_runner(self):
        asked = []

        @anthropic.beta_tool
        def get_weather(city: str) -> str:
            """Weather of now"""
            asked.append(city)
            return "-7 degrees"

        with anthropic.Anthropic(base_url=self.server.url, api_key="none", max_retries=0) as client:
            answers = list(client.beta.messages.tool_runner(
                model=self.model, max_tokens=60, messages=[QUESTION], tools=[get_weather], max_iterations=2,
                tool_choice={"type": "auto", "disable_parallel_tool_use": True}, extra_body={"temperature": 0}))
        self.assertEqual(asked[0], "Oslo")
        self.assertEqual(len(answers), 2)
        self.assertGreater(answers[1].usage.output_tokens, 0)

    def test_several_calls(self):
        choice = self.ask(parallel_tool_calls=True, n=2, max_tokens=150).choices[0]
        self.assertGreater(len({call.id for call in choice.message.tool_calls}), 1)
        for call in choice.message.tool_calls:
            self.check_call(call)

    def test_a_call_of_a_tool_that_is_not_offered_is_text(self):
        other = {"type": "function", "function": {"name": "get_time"}}
        message = self.ask(tools=[other]).choices[0].message
        self.assertIsNone(message.tool_calls)
        self.assertIn('<tool_call>{"name": "get_weather"', message.content)

    def test_reasoning(self):
        answer = self.client.chat.completions.create(
            model=self.model, messages=[QUESTION], temperature=0, max_tokens=40, stop=["\n"]
        )
        message = answer.choices[0].message
        self.assertEqual(message.reasoning_content, "It is winter.")
        self.assertEqual(message.reasoning, "It is winter.")
        self.assertEqual(message.content, "It is cold.")
        details = answer.usage.completion_tokens_details
        self.assertGreater(details.reasoning_tokens, 4)
        self.assertLess(details.reasoning_tokens, answer.usage.completion_tokens)

    def test_no_choice(self):
        message = self.ask(tool_choice="none").choices[0].message
        self.assertIsNone(message.tool_calls)

    def test_tokenize_counts_the_tools(self):
        def count(body):
            request = urllib.request.Request(
                self.server.url + "/tokenize", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["count"]

        with_tools = count({"messages": [QUESTION], "tools": [WEATHER]})
        self.assertEqual(with_tools, self.ask().usage.prompt_tokens)
        self.assertNotEqual(with_tools, count({"messages": [QUESTION]}))


def tool(name, properties, **function):
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "parameters": schema, **function}}


LAMP = tool("set_lamp", {"on": {"type": "boolean"}, "percent": {"type": "integer", "minimum": 0, "maximum": 100}})
TIMER = tool("start_timer", {"unit": {"enum": ["seconds", "minutes"]}, "label": {"type": "string", "maxLength": 12}})
LIST = tool("add_items", {"items": {"type": "array", "items": {"enum": ["milk", "bread"]}, "minItems": 1, "maxItems": 3}})


class ForcedCallsTest(ServedTest):
    """What tool_choice and strict force is forced by a grammar: the arguments validate, whatever the model would say."""

    flags = ("--chat-template", TEMPLATE)

    def ask(self, **options):
        return self.client.chat.completions.create(
            model=self.model, messages=[QUESTION], **{"temperature": 1, "max_tokens": 120, "seed": 5, **options}
        )

    def check(self, choice, tools):
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.assertFalse(choice.message.content)
        self.assertTrue(choice.message.tool_calls)
        schemas = {t["function"]["name"]: t["function"]["parameters"] for t in tools}
        for call in choice.message.tool_calls:
            jsonschema.validate(json.loads(call.function.arguments), schemas[call.function.name])

    def test_required(self):
        tools = [LAMP, TIMER, LIST]
        answer = self.ask(tools=tools, tool_choice="required", parallel_tool_calls=False, n=4)
        for choice in answer.choices:
            self.check(choice, tools)

    def test_what_cannot_be_kept_to(self):
        """Of a set, say: passed over, and the rest kept to, unless the tool is strict."""
        items = {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True, "maxItems": 2}
        choice = self.ask(tools=[tool("add", {"items": items})], tool_choice="required", parallel_tool_calls=False).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        arguments = json.loads(choice.message.tool_calls[0].function.arguments)
        jsonschema.validate(arguments["items"], {key: value for key, value in items.items() if key != "uniqueItems"})
        with self.assertRaisesRegex(openai.BadRequestError, "'uniqueItems'"):
            self.ask(tools=[tool("add", {"items": items}, strict=True)], tool_choice="required")

    def test_named(self):
        tools = [WEATHER, LAMP, TIMER, LIST]
        for chosen in tools[1:]:
            name = chosen["function"]["name"]
            choice = self.ask(tools=tools, tool_choice={"type": "function", "function": {"name": name}}).choices[0]
            self.check(choice, tools)
            self.assertEqual([call.function.name for call in choice.message.tool_calls], [name])

    def test_the_other_apis(self):
        lamp = LAMP["function"]
        function = {"type": "function", **lamp}
        for choice in ("required", {"type": "function", "name": "set_lamp"}):
            answer = self.client.responses.create(model=self.model, input="Dim it.", tools=[function], tool_choice=choice,
                                                  parallel_tool_calls=False, max_output_tokens=120)
            call, = (item for item in answer.output if item.type == "function_call")
            jsonschema.validate(json.loads(call.arguments), lamp["parameters"])
        offered = {"name": "set_lamp", "input_schema": lamp["parameters"]}
        with anthropic.Anthropic(base_url=self.server.url, api_key="none", max_retries=0) as client:
            for choice in ({"type": "any", "disable_parallel_tool_use": True}, {"type": "tool", "name": "set_lamp"}):
                answer = client.messages.create(model=self.model, max_tokens=120, tools=[offered], tool_choice=choice,
                                                messages=[{"role": "user", "content": "Dim it."}])
                self.assertEqual(answer.stop_reason, "tool_use")
                block, = answer.content
                jsonschema.validate(block.input, lamp["parameters"])

    def test_strict(self):
        strict = tool("get_weather", {"days": {"type": "integer", "minimum": 1, "maximum": 5}}, strict=True)
        choice = self.ask(tools=[strict], temperature=0, parallel_tool_calls=False).choices[0]
        self.check(choice, [strict])

    def test_strict_in_other_styles(self):
        strict = tool("set_lamp", LAMP["function"]["parameters"]["properties"], strict=True)
        for style in ("llama3_json", "mistral", "deepseek_v3", "pythonic"):
            with self.subTest(style), QuireServer(*self.flags, "--tool-call-parser", style) as server:
                client = server.client()
                answer = client.chat.completions.create(
                    model=self.model, messages=[QUESTION], tools=[strict], n=4, max_tokens=60, seed=1, temperature=1
                )
                client.close()
                self.assertEqual(len(answer.choices), 4)
                for call in (call for choice in answer.choices for call in choice.message.tool_calls or []):
                    self.assertEqual(call.function.name, "set_lamp")

    def test_other_styles(self):
        for style in ("llama3_json", "mistral", "deepseek_v3", "pythonic"):
            with QuireServer(*self.flags, "--tool-call-parser", style) as server:
                client = server.client()
                answer = client.chat.completions.create(
                    model=self.model, messages=[QUESTION], tools=[LAMP, LIST], tool_choice="required",
                    parallel_tool_calls=False, max_tokens=150, seed=1,
                )
                client.close()
            with self.subTest(style):
                self.check(answer.choices[0], [LAMP, LIST])

    def test_python(self):
        tools = [LAMP, TIMER, LIST, tool("g", {}), tool("pair", {"a-b": {"enum": [None, True, "\"\\\n", {"k": [False]}]}})]
        with QuireServer(*self.flags, "--tool-call-parser", "pythonic") as server, server.client() as client:
            def ask(**options):
                return client.chat.completions.create(
                    model=self.model, messages=[QUESTION], **{"temperature": 1, "max_tokens": 150, "seed": 2, **options})

            for choice in ask(tools=tools, tool_choice="required", parallel_tool_calls=False, n=6).choices:
                self.check(choice, tools)
                self.assertEqual(len(choice.message.tool_calls), 1)
            for offered in tools:
                name = offered["function"]["name"]
                for named in ({"type": "function", "function": {"name": name}},
                              {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                                  {"type": "function", "function": {"name": name}}]}}):
                    choice = ask(tools=tools, tool_choice=named, parallel_tool_calls=False).choices[0]
                    self.check(choice, tools)
                    self.assertEqual([call.function.name for call in choice.message.tool_calls], [name])
            with self.assertRaisesRegex(openai.BadRequestError, "'a b', which cannot be the name of an argument"):
                ask(tools=[tool("f", {"a b": {"type": "null"}})], tool_choice="required")

    def test_what_cannot_be(self):
        for options, words in (
            ({"tool_choice": "required"}, "needs tools"),
            ({"tools": [LAMP], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "none of the tools"),
            ({"tools": [LAMP], "tool_choice": "required", "response_format": {
                "type": "structural_tag", "format": {"type": "any_text"}}}, "structural tag in response_format"),
        ):
            with self.assertRaisesRegex(openai.BadRequestError, words):
                self.ask(**options)


class SetLamp(pydantic.BaseModel):
    on: bool
    percent: int = pydantic.Field(ge=0, le=100)


class Verdict(pydantic.BaseModel):
    answer: typing.Literal["yes", "no"]
    reasons: list[typing.Literal["warm", "cold"]] = pydantic.Field(min_length=1, max_length=2)


class CallsBesideAFormTest(ServedTest):
    """An answer is calls or text by the schema, whichever the model takes to."""

    flags = ("--chat-template", TEMPLATE, "--reasoning-parser", "none")
    verdict = {"type": "json_schema", "name": "verdict", "schema": Verdict.model_json_schema(), "strict": True}

    def parse(self, client=None, **options):
        return (client or self.client).chat.completions.parse(
            model=self.model, messages=[QUESTION], response_format=Verdict,
            **{"tools": [openai.pydantic_function_tool(SetLamp)], "temperature": 1, "seed": 7, "max_tokens": 150, **options})

    def check(self, choice):
        calls = choice.message.tool_calls or []
        if calls:
            self.assertEqual(choice.finish_reason, "tool_calls")
            self.assertIsNone(choice.message.parsed)
            for call in calls:
                self.assertIsInstance(call.function.parsed_arguments, SetLamp)
        else:
            self.assertEqual(choice.finish_reason, "stop")
            self.assertIsInstance(choice.message.parsed, Verdict)
        return bool(calls)

    def test_the_official_client_parses_both(self):
        once = {"parallel_tool_calls": False}
        called = self.parse(temperature=0, **once).choices[0]
        self.assertTrue(self.check(called))  # as the template leads it
        result = {"role": "tool", "tool_call_id": called.message.tool_calls[0].id, "content": "done"}
        for said in (called.message, called.message.model_dump()):
            again = self.client.chat.completions.create(
                model=self.model, messages=[QUESTION, said, result], max_tokens=8)
            self.assertGreater(again.usage.prompt_tokens, 0)
        request = urllib.request.Request(
            self.server.url + "/tokenize", json.dumps({"prompt": "{", "add_special_tokens": False}).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as tokenized:
            brace, = json.load(tokenized)["tokens"]
        said = self.parse(temperature=0, logit_bias={str(brace): 100}, **once)
        self.assertFalse(self.check(said.choices[0]))
        self.client.chat.completions.create(model=self.model, messages=[QUESTION, said.choices[0].message], max_tokens=8)
        for choice in self.parse(n=6, **once).choices:
            self.check(choice)
        self.assertTrue(self.check(self.parse(tool_choice="required", **once).choices[0]))
        self.assertFalse(self.check(self.parse(tool_choice="none").choices[0]))

    def test_a_stream(self):
        with self.client.chat.completions.stream(
            model=self.model, messages=[QUESTION], response_format=Verdict, parallel_tool_calls=False, max_tokens=150,
            tools=[openai.pydantic_function_tool(SetLamp)], temperature=0,
        ) as stream:
            self.assertTrue(self.check(stream.get_final_completion().choices[0]))

    def test_other_styles(self):
        for style in ("llama3_json", "mistral", "deepseek_v3", "pythonic"):
            with QuireServer(*self.flags, "--tool-call-parser", style) as server, server.client() as client:
                with self.subTest(style):
                    for choice in self.parse(client, n=6, parallel_tool_calls=False).choices:
                        self.check(choice)
                    self.assertTrue(self.check(self.parse(client, tool_choice="required", parallel_tool_calls=False).choices[0]))

    def test_tools_that_are_not_strict(self):
        answer = self.client.chat.completions.create(
            model=self.model, messages=[QUESTION], tools=[WEATHER], temperature=0, max_tokens=60, parallel_tool_calls=False,
            response_format={"type": "json_object"})
        call, = answer.choices[0].message.tool_calls
        self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Oslo"}))

    def test_the_other_apis(self):
        lamp = SetLamp.model_json_schema()
        options = {"tools": [{"type": "function", "name": "SetLamp", "parameters": lamp, "strict": True}],
                   "parallel_tool_calls": False, "max_output_tokens": 150, "temperature": 0}
        for choice in ("auto", "required"):
            answer = self.client.responses.create(model=self.model, input="How cold is it?", tool_choice=choice,
                                                  text={"format": self.verdict}, **options)
            call, = (item for item in answer.output if item.type == "function_call")
            SetLamp.model_validate_json(call.arguments)
        said = self.client.responses.create(model=self.model, input="How cold is it?", tool_choice="none",
                                            text={"format": self.verdict}, **options)
        Verdict.model_validate_json(said.output_text)
        with anthropic.Anthropic(base_url=self.server.url, api_key="none", max_retries=0) as client:
            answer = client.messages.create(
                model=self.model, max_tokens=150, messages=[QUESTION], tool_choice={"type": "auto", "disable_parallel_tool_use": True},
                tools=[{"name": "SetLamp", "input_schema": lamp, "strict": True}], extra_body={"temperature": 0},
                output_config={"format": {"type": "json_schema", "schema": Verdict.model_json_schema()}})
            block, = answer.content
            SetLamp.model_validate(block.input)


class PlainTemplateTest(ServedTest):
    """The default model's own template, which knows no tools."""

    def test_tools_are_refused(self):
        with self.assertRaisesRegex(openai.BadRequestError, "--chat-template"):
            self.client.chat.completions.create(model=self.model, messages=[QUESTION], tools=[WEATHER])


class ParserFlagsTest(unittest.TestCase):
    def test_parsers_can_be_turned_off(self):
        flags = ("--chat-template", TEMPLATE, "--tool-call-parser", "none", "--reasoning-parser", "none")
        with QuireServer(*flags) as server:
            client = server.client()
            answer = client.chat.completions.create(
                model=client.models.list().data[0].id, messages=[QUESTION], tools=[WEATHER], temperature=0, max_tokens=60
            )
            client.close()
        self.assertIn("</tool_call>", answer.choices[0].message.content)

    def test_bad_flags_say_what_is_right(self):
        for flags, words in (
            (("--tool-call-parser", "hermes2"), "hermes, llama3_json"),
            (("--reasoning-parser", "x"), "deepseek_r1, qwen3"),
            (("--chat-template", "/nowhere"), "/nowhere"),
            (("--chat-template", BINARY), f"the chat template '{BINARY}'"),
        ):
            ended = subprocess.run([BINARY, "serve", MODEL, "--port", "0", *flags], capture_output=True, text=True)
            self.assertNotEqual(ended.returncode, 0, flags)
            self.assertIn(words, ended.stderr, flags)


if __name__ == "__main__":
    unittest.main()
