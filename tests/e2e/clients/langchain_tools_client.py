"""LangChain with tools, on a template that leads to a call. Run by ../clients_test.py."""

import os
import unittest
from typing import Literal

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

QUESTION = HumanMessage("How cold is it?")


@tool
def get_weather(city: str) -> str:
    """Weather of now"""
    return f"-7 degrees in {city}"


class Colours(BaseModel):
    """What is liked"""

    colours: set[Literal["red", "green", "blue"]] = Field(min_length=1, max_length=3)


class LangChainToolsTest(unittest.TestCase):
    def setUp(self):
        model = ChatOpenAI(
            base_url=os.environ["QUIRE_URL"] + "/v1", api_key="none", model=os.environ["QUIRE_SERVED_MODEL"],
            max_retries=0, temperature=0, max_tokens=60)
        self.bound = model.bind_tools([get_weather], parallel_tool_calls=False)

        self.colours = model.with_structured_output(Colours, method="function_calling")

    def check_call(self, message):
        (call,) = message.tool_calls
        self.assertEqual((call["name"], call["args"]), ("get_weather", {"city": "Oslo"}))

    def test_a_call_is_made_and_answered(self):
        message = self.bound.invoke([QUESTION])
        self.check_call(message)
        self.assertEqual(message.response_metadata["finish_reason"], "tool_calls")
        result = get_weather.invoke(message.tool_calls[0])
        self.assertIsInstance(result, ToolMessage)
        self.assertEqual(result.content, "-7 degrees in Oslo")
        self.assertGreater(self.bound.invoke([QUESTION, message, result]).usage_metadata["output_tokens"], 0)

    def test_a_stream(self):
        chunks = list(self.bound.stream([QUESTION]))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        self.check_call(whole)

    def test_a_model_with_a_set(self):
        """The grammar cannot keep items apart: who reads them does."""
        self.assertIsInstance(self.colours.invoke("Which colours do you like?"), Colours)

    def test_a_batch(self):
        for message in self.bound.batch([[QUESTION]] * 4):
            self.check_call(message)
