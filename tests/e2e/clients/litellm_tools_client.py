"""LiteLLM with tools, on a template that leads to a call. Run by ../clients_test.py."""

import json
import os
import unittest

import litellm

litellm.suppress_debug_info = True
HERE = {
    "model": "hosted_vllm/" + os.environ["QUIRE_SERVED_MODEL"],
    "api_base": os.environ["QUIRE_URL"] + "/v1",
    "api_key": "none",
    "max_retries": 0,
}
QUESTION = {"role": "user", "content": "How cold is it?"}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}


def ask(messages=(QUESTION,), **options):
    options = {"temperature": 0, "max_tokens": 60, "parallel_tool_calls": False, "tools": [WEATHER], **options}
    return litellm.completion(messages=list(messages), **HERE, **options)


class LiteLLMToolsTest(unittest.TestCase):
    def check_call(self, call):
        self.assertEqual(call.function.name, "get_weather")
        self.assertEqual(json.loads(call.function.arguments), {"city": "Oslo"})

    def test_a_call_and_its_result(self):
        choice = ask().choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        (call,) = choice.message.tool_calls
        self.check_call(call)
        result = {"role": "tool", "tool_call_id": call.id, "content": "-7 degrees"}
        self.assertTrue(ask([QUESTION, choice.message, result]).choices)

    def test_a_stream(self):
        chunks = list(ask(stream=True))
        whole = litellm.stream_chunk_builder(chunks)
        self.assertEqual(whole.choices[0].finish_reason, "tool_calls")
        (call,) = whole.choices[0].message.tool_calls
        self.check_call(call)

    def test_reasoning_comes_apart(self):
        asked = {"messages": [QUESTION], "temperature": 0, "max_tokens": 40, "stop": ["\n"]}
        message = litellm.completion(**HERE, **asked).choices[0].message
        self.assertEqual((message.reasoning_content, message.content), ("It is winter.", "It is cold."))
