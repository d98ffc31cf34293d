"""The real curl, as people type it."""

import json
import subprocess
import unittest

from quire_server import PATIENCE_SECONDS, ServedTest

NUM_TOKENS = 600
LONG = {"prompt": "Once upon a time", "max_tokens": NUM_TOKENS, "ignore_eos": True, "temperature": 0}


class CurlTest(ServedTest):
    flags = ("--max-model-len", "2048")

    def command(self, path, *arguments):
        return ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE_SECONDS), self.server.url + path, *arguments]

    def curl(self, path, *arguments, body=None):
        """The status and the body of an answer."""
        if body is not None:
            arguments = (*arguments, "--header", "Content-Type: application/json", "--data-binary", "@-")
        done = subprocess.run(self.command(path, *arguments, "--write-out", "\n%{http_code}"),
                              input=body, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text, status = done.stdout.rsplit("\n", 1)
        return int(status), text

    def stream(self, body):
        return subprocess.Popen(
            self.command("/v1/completions", "--no-buffer", "--json", json.dumps({**body, "stream": True})),
            stdout=subprocess.PIPE, text=True)

    def test_events_come_while_the_answer_is_being_made(self):
        before = self.server.metric("vllm:generation_tokens_total")
        with self.stream(LONG) as curl:
            first = curl.stdout.readline()
            made = self.server.metric("vllm:generation_tokens_total") - before
            rest = curl.stdout.read()
        self.assertLess(made, NUM_TOKENS)  # the first event is here, and the last token is not yet made
        self.assertEqual(curl.returncode, 0)
        events = (first + rest).split("\n\n")
        self.assertEqual(events[-2:], ["data: [DONE]", ""])
        self.assertTrue(all(event.startswith("data: ") and "\n" not in event for event in events[:-1]))
        chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
        self.assertGreater(len(chunks), NUM_TOKENS // 2)
        _, whole = self.curl("/v1/completions", body=json.dumps(LONG))
        text = "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
        self.assertEqual(text, json.loads(whole)["choices"][0]["text"])

    def test_leaving_a_stream_ends_the_request(self):
        with self.stream(LONG) as curl:
            curl.stdout.readline()
            curl.terminate()
        self.server.wait_for_baseline()

    def test_a_body_that_curl_asks_leave_to_send(self):
        body = json.dumps({"prompt": "Once upon a time", "max_tokens": 3, "temperature": 0}).ljust(1_500_000)
        status, text = self.curl("/v1/completions", "--header", "Expect: 100-continue", body=body)
        self.assertEqual((status, json.loads(text)["usage"]["completion_tokens"]), (200, 3))
        status, text = self.curl("/v1/completions", "--header", "Transfer-Encoding: chunked", body=body)
        self.assertEqual((status, json.loads(text)["usage"]["completion_tokens"]), (200, 3))

    def test_heads_old_versions_and_mistakes(self):
        status, head = self.curl("/v1/models", "--head")
        self.assertEqual(status, 200)
        self.assertRegex(head.lower(), r"content-length: [1-9]")
        status, text = self.curl("/v1/models", "--http1.0")
        self.assertEqual((status, json.loads(text)["data"][0]["id"]), (200, self.model))
        status, text = self.curl("/v1/model")
        self.assertEqual((status, json.loads(text)["error"]["type"]), (404, "not_found_error"))
        self.assertEqual(self.curl("/v1/completions")[0], 405)
        status, text = self.curl("/v1/completions", "--data", "prompt=hello")  # not JSON: curl's default type
        self.assertEqual(status, 415)
        self.assertIn("application/json", json.loads(text)["error"]["message"])


if __name__ == "__main__":
    unittest.main()
