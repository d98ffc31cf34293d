"""LiteLLM, by which many programs speak to any server. Run by ../clients_test.py."""

import os
import unittest

import litellm

litellm.suppress_debug_info = True
MODEL = os.environ["QUIRE_SERVED_MODEL"]
HERE = {"api_base": os.environ["QUIRE_URL"] + "/v1", "api_key": "none", "max_retries": 0}
PROMPT = "The capital of France is"


def chat(text="Name three colours.", provider="openai", **options):
    messages = [{"role": "user", "content": text}]
    options = {"temperature": 0, "max_tokens": 16, **options}
    return litellm.completion(model=f"{provider}/{MODEL}", messages=messages, **HERE, **options)


def complete(**options):
    model = f"text-completion-openai/{MODEL}"
    return litellm.text_completion(model=model, prompt=PROMPT, temperature=0, max_tokens=8, **HERE, **options)


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


class LiteLLMTest(unittest.TestCase):
    def test_chat_says_the_same_by_both_of_its_providers_whole_and_streamed(self):
        whole = chat()
        said = whole.choices[0].message.content
        self.assertTrue(said)
        self.assertEqual(whole.usage.completion_tokens, 16)
        self.assertEqual(chat(provider="hosted_vllm").choices[0].message.content, said)
        self.assertEqual(text_of(chat(stream=True)), said)
        self.assertEqual(text_of(chat(provider="hosted_vllm", stream=True)), said)

    def test_messages_and_responses_say_the_same(self):
        said = chat().choices[0].message.content
        messages = [{"role": "user", "content": "Name three colours."}]

        def by_messages(**options):
            return litellm.completion(model=f"anthropic/{MODEL}", messages=messages, temperature=0, max_tokens=16,
                                      api_base=os.environ["QUIRE_URL"], api_key="none", max_retries=0, **options)

        def respond(**options):
            return litellm.responses(model=f"openai/{MODEL}", input="Name three colours.", temperature=0,
                                     max_output_tokens=16, **HERE, **options)

        self.assertEqual(by_messages().choices[0].message.content, said)
        self.assertEqual(text_of(by_messages(stream=True)), said)
        self.assertEqual(respond().output[0].content[0].text, said)
        deltas = [event.delta for event in respond(stream=True) if event.type == "response.output_text.delta"]
        self.assertEqual("".join(deltas), said)

    def test_streamed_usage_is_that_of_the_whole_answer(self):
        chunks = list(chat(stream=True, stream_options={"include_usage": True}))
        usage = next(chunk.usage for chunk in chunks if getattr(chunk, "usage", None))
        whole = chat().usage
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens), (whole.prompt_tokens, 16))
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason], ["length"])

    def test_completion(self):
        whole = complete()
        self.assertIn("Paris", whole.choices[0].text)
        self.assertEqual("".join(c.choices[0].text or "" for c in complete(stream=True)), whole.choices[0].text)

    def test_choices_and_log_probabilities(self):
        answer = chat(n=3, temperature=1, seed=5, logprobs=True, top_logprobs=2)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])
        for choice in answer.choices:
            self.assertTrue(all(len(token.top_logprobs) == 2 for token in choice.logprobs.content))

    def test_a_stop_string(self):
        said = complete().choices[0].text
        answer = complete(stop=["United"]).choices[0]
        self.assertEqual((answer.text, answer.finish_reason), (said[: said.index("United")], "stop"))

    def test_many_at_once(self):
        messages = [[{"role": "user", "content": f"Count from {number % 4}."}] for number in range(16)]
        answers = litellm.batch_completion(f"openai/{MODEL}", messages, temperature=0, max_tokens=8, **HERE)
        texts = [answer.choices[0].message.content for answer in answers]
        self.assertEqual(texts, texts[:4] * 4)

    def test_embeddings(self):
        texts = ["a block of sixteen tokens", "a block of sixteen tokens", "rain on the roof"]
        answer = litellm.embedding(model=f"openai/{MODEL}", input=texts, encoding_format="float", **HERE)
        first, same, other = (row["embedding"] for row in answer.data)
        self.assertEqual(first, same)
        self.assertAlmostEqual(sum(x * x for x in first), 1, delta=1e-3)
        self.assertLess(sum(x * y for x, y in zip(first, other, strict=True)), 0.999)

    def test_errors_are_its_own_kinds(self):
        with self.assertRaisesRegex(litellm.BadRequestError, "temperature must be at least 0 and at most 2"):
            chat(temperature=3)
        with self.assertRaises(litellm.NotFoundError):
            litellm.completion(model="openai/another", messages=[{"role": "user", "content": "x"}], **HERE)
        with self.assertRaises(litellm.ContextWindowExceededError):
            chat("word " * 4000)
