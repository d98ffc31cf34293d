"""LangChain's classes for OpenAI. Run by ../clients_test.py."""

import asyncio
import os
import unittest
from typing import Literal

import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

MODEL = os.environ["QUIRE_SERVED_MODEL"]
HERE = {"base_url": os.environ["QUIRE_URL"] + "/v1", "api_key": "none", "model": MODEL, "max_retries": 0}


class Paint(BaseModel):
    colour: Literal["red", "green", "blue"]
    litres: int = Field(ge=1, le=9)


def chat_model(**options):
    return ChatOpenAI(**HERE, **{"temperature": 0, "max_tokens": 16, **options})


class LangChainTest(unittest.TestCase):
    def test_invoke_and_stream_say_the_same(self):
        model = chat_model()
        whole = model.invoke("Name three colours.")
        self.assertTrue(whole.content)
        self.assertEqual(whole.usage_metadata["output_tokens"], 16)
        self.assertEqual(whole.response_metadata["finish_reason"], "length")
        chunks = list(model.stream("Name three colours.", stream_usage=True))
        self.assertGreater(len(chunks), 8)
        self.assertEqual("".join(chunk.content for chunk in chunks), whole.content)
        usages = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
        self.assertEqual([usage["output_tokens"] for usage in usages], [16])

    def test_a_batch_says_what_single_ones_do(self):
        model = chat_model()
        questions = [f"What is {number} plus {number}?" for number in range(12)]
        alone = [model.invoke(question).content for question in questions]
        self.assertEqual([answer.content for answer in model.batch(questions)], alone)

        async def ask_all():
            return await model.abatch(questions)

        self.assertEqual([answer.content for answer in asyncio.run(ask_all())], alone)

    def test_a_conversation(self):
        messages = [
            SystemMessage("You are brief."),
            HumanMessage([{"type": "text", "text": "Say hello."}]),
            AIMessage("Hello."),
            HumanMessage("Again."),
        ]
        answer = chat_model().invoke(messages)
        self.assertTrue(answer.content)
        self.assertTrue(chat_model().invoke([*messages, answer, HumanMessage("And again.")]).content)

    def test_a_chain(self):
        prompt = ChatPromptTemplate.from_messages([("system", "You are brief."), ("user", "Name a {thing}.")])
        chain = prompt | chat_model() | StrOutputParser()
        said = chain.invoke({"thing": "colour"})
        self.assertTrue(said)
        self.assertEqual("".join(chain.stream({"thing": "colour"})), said)

    def test_log_probabilities(self):
        answer = chat_model(max_tokens=6, logprobs=True, top_logprobs=2).invoke("Hi!")
        content = answer.response_metadata["logprobs"]["content"]
        self.assertEqual("".join(token["token"] for token in content), answer.content)

    def test_completion(self):
        model = OpenAI(**HERE, temperature=0, max_tokens=8)
        said = model.invoke("The capital of France is")
        self.assertIn("Paris", said)
        self.assertEqual("".join(model.stream("The capital of France is")), said)
        self.assertEqual(model.batch(["The capital of France is"] * 3), [said] * 3)

    def test_embeddings(self):
        # Without its check of lengths it sends texts; with it, ids of a tokenizer of OpenAI's.
        embeddings = OpenAIEmbeddings(**HERE, check_embedding_ctx_length=False)
        texts = ["a block of sixteen tokens", "rain on the roof"]
        rows = embeddings.embed_documents(texts)
        self.assertNotEqual(rows[0], rows[1])
        self.assertEqual(embeddings.embed_query(texts[1]), rows[1])

    def test_responses(self):
        model = chat_model(use_responses_api=True)
        whole = model.invoke("Name three colours.")
        self.assertEqual(whole.text, chat_model().invoke("Name three colours.").content)
        self.assertEqual(whole.usage_metadata["output_tokens"], 16)
        self.assertEqual("".join(chunk.text for chunk in model.stream("Name three colours.")), whole.text)

    def test_structured_output(self):
        model = chat_model(max_tokens=300).with_structured_output(Paint, method="json_schema")
        self.assertIsInstance(model.invoke("What paint do you take?"), Paint)

    def test_errors_name_the_field(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            chat_model(temperature=3).invoke("Hi")
        self.assertEqual(caught.exception.param, "temperature")

    def test_a_prompt_beyond_the_context_is_known_as_such(self):
        with self.assertRaisesRegex(ContextOverflowError, "4031 tokens"):
            chat_model().invoke("word " * 4000)
