"""Load generators of others: the very bodies that `vllm bench serve` (its endpoint_request_func.py) and guidellm (its
request_handlers.py) send, and what they read of the answers."""

import concurrent.futures
import json
import unittest
import urllib.request

from quire_server import PATIENCE_SECONDS, ServedTest


class LoadGeneratorTest(ServedTest):
    flags = ("--max-num-seqs", "8")

    def stream(self, path, body):
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode(), {
            "Content-Type": "application/json", "x-request-id": "bench-0"})  # fmt: skip
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            events = answer.read().decode().split("\n\n")
        self.assertEqual(events.pop(), "")
        self.assertEqual(events.pop(), "data: [DONE]")
        return [json.loads(event.removeprefix("data: ")) for event in events]

    def test_completions_of_vllm(self):
        chunks = self.stream("/v1/completions", {
            "model": self.model, "prompt": "The capital of France is", "repetition_penalty": 1.0, "max_tokens": 24,
            "logprobs": None, "stream": True, "stream_options": {"include_usage": True}, "ignore_eos": True,
            "temperature": 0.0})  # fmt: skip
        texts = [chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"]]
        self.assertIn("Paris", "".join(texts))
        self.assertEqual([chunk["choices"] for chunk in chunks].index([]), len(chunks) - 1)
        self.assertEqual(chunks[-1]["usage"]["completion_tokens"], 24)
        self.assertGreater(chunks[-1]["usage"]["prompt_tokens"], 0)

    def test_chats_of_vllm(self):
        chunks = self.stream("/v1/chat/completions", {
            "model": self.model, "messages": [{"role": "user", "content": [{"type": "text", "text": "Count to ten."}]}],
            "max_completion_tokens": 24, "stream": True, "stream_options": {"include_usage": True},
            "ignore_eos": True, "temperature": 0.0, "top_p": 0.9, "top_k": 20, "min_p": 0.01})  # fmt: skip
        contents = [chunk["choices"][0]["delta"].get("content") for chunk in chunks if chunk["choices"]]
        self.assertTrue("".join(text or "" for text in contents).strip())
        self.assertEqual(chunks[-1]["choices"], [])
        self.assertEqual(chunks[-1]["usage"]["completion_tokens"], 24)

    def test_a_burst_of_guidellm(self):
        common = {"model": self.model, "stream": True, "ignore_eos": True, "stop": None,
                  "stream_options": {"include_usage": True, "continuous_usage_stats": True}}  # fmt: skip

        def ask(number):
            text = f"{number}: a story"
            if number % 2:
                return self.stream("/v1/completions", {**common, "max_tokens": 24, "prompt": text})
            return self.stream("/v1/chat/completions", {**common, "max_completion_tokens": 24, "messages": [
                {"role": "system", "content": "You are brief."},
                {"role": "user", "content": [{"type": "text", "text": text}]}]})  # fmt: skip

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            for chunks in pool.map(ask, range(32)):
                counts = [chunk["usage"]["completion_tokens"] for chunk in chunks]
                self.assertEqual(counts, sorted(counts))
                self.assertEqual(counts[-1], 24)
                for chunk in chunks:  # it goes through a list that is there, and null is none
                    for choice in chunk["choices"]:
                        self.assertNotIn("tool_calls", choice.get("delta", {}))


if __name__ == "__main__":
    unittest.main()
