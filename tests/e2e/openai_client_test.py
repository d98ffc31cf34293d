"""The official client against the real model: what a program written for OpenAI's API does."""

import concurrent.futures
import json
import unittest
import urllib.request

import openai

from quire_server import ServedTest

PROMPT = "The capital of France is"


class OpenAIClientTest(ServedTest):
    def test_models(self):
        models = self.client.models.list().data
        self.assertEqual(len(models), 1)
        self.assertEqual(self.client.models.retrieve(self.model).id, self.model)
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("another")

    def test_completion(self):
        answer = self.complete(PROMPT, temperature=0, max_tokens=8)
        self.assertEqual(answer.object, "text_completion")
        self.assertEqual(answer.model, self.model)
        self.assertIn("Paris", answer.choices[0].text)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 8)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + 8)
        self.assertEqual(self.complete(PROMPT).usage.completion_tokens, 16)

    def test_completion_stream_says_the_same(self):
        whole = self.complete(PROMPT, temperature=0, max_tokens=24)
        stream = self.complete(
            PROMPT, temperature=0, max_tokens=24, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        self.assertEqual("".join(c.choices[0].text for c in chunks if c.choices), whole.choices[0].text)
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage, whole.usage)
        self.assertEqual(chunks[-2].choices[0].finish_reason, whole.choices[0].finish_reason)

    def test_beams_come_best_first(self):
        beams = {"use_beam_search": True, "best_of": 4, "early_stopping": True}
        answer = self.complete(PROMPT, temperature=0, max_tokens=6, n=3, logprobs=0, extra_body=beams)
        means = [sum(c.logprobs.token_logprobs) / len(c.logprobs.token_logprobs) for c in answer.choices]
        self.assertEqual(means, sorted(means, reverse=True))
        self.assertEqual(len({c.text for c in answer.choices}), 3)
        chunks = list(self.complete(PROMPT, temperature=0, max_tokens=6, n=3, stream=True, extra_body=beams))
        for choice in answer.choices:
            text = "".join(c.choices[0].text for c in chunks if c.choices[0].index == choice.index)
            self.assertEqual(text, choice.text)

    def test_best_of(self):
        answer = self.complete(PROMPT, max_tokens=6, n=2, best_of=5, seed=3, logprobs=0)
        means = [sum(c.logprobs.token_logprobs) / len(c.logprobs.token_logprobs) for c in answer.choices]
        draws = self.complete(PROMPT, max_tokens=6, n=5, seed=3, logprobs=0).choices
        every = [sum(c.logprobs.token_logprobs) / len(c.logprobs.token_logprobs) for c in draws]
        self.assertEqual(means, sorted(every, reverse=True)[:2])
        with self.assertRaises(openai.BadRequestError):
            self.complete(PROMPT, best_of=2, stream=True)

    def test_chat(self):
        answer = self.chat("What is the capital of France?", temperature=0, max_tokens=60)
        message = answer.choices[0].message
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(message.role, "assistant")
        self.assertTrue(message.content.strip())  # what a small model says of Paris is no test of ours
        self.assertEqual(answer.choices[0].finish_reason, "stop" if answer.usage.completion_tokens < 60 else "length")
        self.assertNotIn("<|im_end|>", message.content)

    def test_chat_stream_says_the_same(self):
        question = "Name three colours."
        whole = self.chat(question, temperature=0, max_tokens=40)
        chunks = list(self.chat(question, temperature=0, max_tokens=40, stream=True))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        text = "".join(c.choices[0].delta.content or "" for c in chunks)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual(chunks[-1].choices[0].finish_reason, whole.choices[0].finish_reason)

    def test_conversation_goes_back_as_it_came(self):
        first = self.chat("Say hello.", temperature=0, max_tokens=20)
        messages = [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
            first.choices[0].message.model_dump(),
            {"role": "user", "content": "Again."},
        ]
        answer = self.client.chat.completions.create(model=self.model, messages=messages, max_tokens=10)
        self.assertTrue(answer.choices[0].message.content)

    def test_n_choices(self):
        answer = self.chat("Tell me a story.", n=4, temperature=1.0, seed=7, max_tokens=20)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2, 3])
        self.assertGreater(len({choice.message.content for choice in answer.choices}), 1)
        self.assertEqual(answer.usage.completion_tokens, 80)
        again = self.chat("Tell me a story.", n=4, temperature=1.0, seed=7, max_tokens=20)
        self.assertEqual(
            [c.message.content for c in again.choices], [c.message.content for c in answer.choices]
        )
        same = self.chat("Tell me a story.", n=4, temperature=0, max_tokens=20)
        self.assertEqual(len({choice.message.content for choice in same.choices}), 1)

    def test_chat_logprobs(self):
        answer = self.chat("Hi!", temperature=0, max_tokens=6, logprobs=True, top_logprobs=3)
        content = answer.choices[0].logprobs.content
        self.assertEqual(len(content), answer.usage.completion_tokens)
        for token in content:
            self.assertLessEqual(token.logprob, 0)
            self.assertEqual(bytes(token.bytes).decode(), token.token)
            self.assertEqual(len(token.top_logprobs), 3)
            self.assertEqual(token.top_logprobs[0].token, token.token)  # greedy
            tops = [top.logprob for top in token.top_logprobs]
            self.assertEqual(tops, sorted(tops, reverse=True))

    def test_echo_scores_the_prompt_as_generation_does(self):
        generated = self.complete(PROMPT, temperature=0, max_tokens=6, logprobs=1).choices[0]
        whole = PROMPT + generated.text
        echoed = self.complete(whole, temperature=0, max_tokens=1, logprobs=1, echo=True).choices[0]
        self.assertTrue(echoed.text.startswith(whole))
        self.assertEqual("".join(echoed.logprobs.tokens), echoed.text)
        self.assertIsNone(echoed.logprobs.token_logprobs[0])
        self.assertIsNone(echoed.logprobs.top_logprobs[0])
        scored = echoed.logprobs.token_logprobs[-7:-1]
        for ours, theirs in zip(scored, generated.logprobs.token_logprobs, strict=True):
            self.assertAlmostEqual(ours, theirs, delta=0.05)
        for token, offset in zip(echoed.logprobs.tokens, echoed.logprobs.text_offset, strict=True):
            self.assertEqual(echoed.text[offset : offset + len(token)], token)
        alone = self.complete(whole, max_tokens=0, logprobs=1, echo=True).choices[0]
        self.assertEqual(alone.logprobs.token_logprobs, echoed.logprobs.token_logprobs[:-1])

    def test_token_ids_as_prompts(self):
        ids = self.post("/tokenize", {"prompt": PROMPT})["tokens"]
        self.assertEqual(self.post("/detokenize", {"tokens": ids})["prompt"], PROMPT)
        from_ids = self.complete(ids, temperature=0, extra_body={"return_token_ids": True})
        from_text = self.complete(PROMPT, temperature=0)
        self.assertEqual(from_ids.choices[0].text, from_text.choices[0].text)
        self.assertEqual(from_ids.choices[0].prompt_token_ids, ids)
        self.assertEqual(len(from_ids.choices[0].token_ids), 16)

    def test_batches_say_what_single_prompts_do(self):
        prompts = [PROMPT, "Once upon a time", "def fibonacci(n):", "1, 2, 3, 4,"]
        batch = self.complete(prompts, temperature=0, max_tokens=12)
        self.assertEqual([choice.index for choice in batch.choices], [0, 1, 2, 3])
        for prompt, choice in zip(prompts, batch.choices, strict=True):
            alone = self.complete(prompt, temperature=0, max_tokens=12)
            self.assertEqual(choice.text, alone.choices[0].text)

    def test_many_clients_get_what_each_would_alone(self):
        questions = [f"What is {number} plus {number}?" for number in range(16)]
        alone = [self.chat(q, temperature=0, max_tokens=16).choices[0].message.content for q in questions]

        def ask(question):
            chunks = self.chat(question, temperature=0, max_tokens=16, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(list(pool.map(ask, questions)), alone)

    def test_stop_strings(self):
        answer = self.complete("1, 2, 3, 4, 5,", temperature=0, max_tokens=40, stop=[" 9"])
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.choices[0].text, " 6, 7, 8,")

    def test_special_spellings_of_users_stay_text(self):
        content = "<|im_end|>"
        chat = self.post("/tokenize", {"messages": [{"role": "user", "content": content}]})["tokens"]
        end = self.post("/tokenize", {"prompt": content})["tokens"]
        text = self.post("/tokenize", {"prompt": content, "parse_special": False})["tokens"]
        self.assertEqual(len(end), 1)
        self.assertGreater(len(text), 1)
        self.assertEqual(chat.count(end[0]), 2)  # of the template's system and user turns, and no more

    def test_errors(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat("Hi", temperature=3)
        self.assertEqual(caught.exception.param, "temperature")
        self.assertEqual(caught.exception.type, "invalid_request_error")
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.completions.create(model="gpt-4", prompt="x")
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat("Hi", extra_body={"temprature": 1})
        self.assertIn("did you mean 'temperature'", str(caught.exception))
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat("Hi", tools=[{"type": "function", "function": {"name": "f"}}])
        self.assertEqual(caught.exception.param, "tools")
        with self.assertRaises(openai.BadRequestError):
            self.complete([49152])

    def test_a_prompt_longer_than_the_context_is_told_both_numbers(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.complete([1] * 9000)
        self.assertIn("9000", str(caught.exception))
        self.assertIn("8192", str(caught.exception))
        with self.assertRaises(openai.BadRequestError) as caught:
            self.complete([1] * 8000, max_tokens=500)
        self.assertIn("8000", str(caught.exception))
        self.assertIn("8192", str(caught.exception))

    def test_metrics_count(self):
        before = self.server.metric("vllm:generation_tokens_total")
        self.complete(PROMPT, max_tokens=5, extra_body={"ignore_eos": True})
        self.server.wait_for_metric("vllm:generation_tokens_total", lambda value: value == before + 5)

    def post(self, path, body):
        request = urllib.request.Request(
            self.server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


if __name__ == "__main__":
    unittest.main()
