"""Keys of a file with limits: who is within them is served, who is not is told when to come again."""

import concurrent.futures
import hashlib
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import openai

from quire_server import BINARY, MODEL, PATIENCE_SECONDS, QuireServer

KEYS = f"""
keys:
  - name: alice
    key: sk-alice
    requests_per_minute: 3
  - name: bob
    sha256: {hashlib.sha256(b"sk-bob").hexdigest()}
    tokens_per_minute: 20
  - name: carol
    key: sk-carol
    max_concurrency: 2
"""


SECONDS_A_REQUEST = 20  # after so long alice may send one more


def came_back(start):
    """How many requests alice may have got back since `start`, before which she had sent none."""
    return int((time.monotonic() - start) / SECONDS_A_REQUEST)


def complete(client, **options):
    return client.completions.create(model="", prompt="Once upon a time", **{"max_tokens": 4, **options})


class KeysTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "keys.yaml")
        self.write(KEYS)

    def write(self, text):
        self.file.write_text(text)
        self.file.chmod(0o600)

    def serve(self, *flags):
        return QuireServer("--api-key-file", str(self.file), *flags)

    def expect_limited(self, client, words, **options):
        with self.assertRaises(openai.RateLimitError) as caught:
            complete(client, **options)
        return self.check_limited(caught.exception, words)

    def check_limited(self, error, words):
        self.assertEqual(error.code, "rate_limit_exceeded")
        self.assertIn(words, error.message)
        self.assertGreaterEqual(int(error.response.headers["Retry-After"]), 1)
        return error.response.headers

    def expect_used_up(self, client, start, sent):
        """Alice, who has sent so many requests since `start`, may send no more than have come back meanwhile."""
        while True:
            try:
                complete(client)
            except openai.RateLimitError as error:
                return self.check_limited(error, "3 requests a minute")
            sent += 1
            self.assertLessEqual(sent, 3 + came_back(start))

    def test_each_key_has_its_own_limits(self):
        with self.serve("--api-key", "sk-listed") as server:
            with server.client(api_key="wrong") as client, self.assertRaises(openai.AuthenticationError):
                complete(client)
            with server.client(api_key="sk-alice") as client:
                start = time.monotonic()
                for sent in (1, 2, 3):
                    raw = client.completions.with_raw_response.create(model="", prompt="Once", max_tokens=2)
                    left = int(raw.headers["x-ratelimit-remaining-requests"])
                    self.assertIn(left, range(3 - sent, 4 - sent + came_back(start)))
                    self.assertEqual(raw.headers["x-ratelimit-limit-requests"], "3")
                headers = self.expect_used_up(client, start, sent=3)
                self.assertEqual(headers["x-ratelimit-remaining-requests"], "0")
                self.assertTrue(client.models.list().data)  # what generates nothing is free
            with server.client(api_key="sk-bob") as client:
                with complete(client, max_tokens=400, stream=True, extra_body={"ignore_eos": True}) as stream:
                    self.assertEqual(stream.response.headers["x-ratelimit-limit-tokens"], "20")
                    list(stream)
                self.expect_limited(client, "20 tokens a minute")
            with server.client(api_key="sk-listed") as client:
                for _ in range(5):
                    complete(client)

    def test_requests_at_once_make_room_when_they_end(self):
        with self.serve() as server, server.client(api_key="sk-carol") as client:
            streams = [complete(client, max_tokens=4000, stream=True, extra_body={"ignore_eos": True})
                       for _ in range(2)]
            for stream in streams:
                next(iter(stream))
            self.expect_limited(client, "2 requests at once")
            streams[0].close()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:  # the server notices that a client left, and makes room
                try:
                    complete(client)
                    break
                except openai.RateLimitError:
                    self.assertLess(time.monotonic(), deadline, "a request that was left still counts")
            streams[1].close()

    def test_limits_hold_for_all_who_share_a_key(self):
        with self.serve() as server:
            def ask(_):
                with server.client(api_key="sk-alice") as client:
                    try:
                        complete(client)
                        return 200
                    except openai.RateLimitError:
                        return 429

            start = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(ask, range(8)))
            self.assertIn(answers.count(200), range(3, 4 + came_back(start)))
            self.assertEqual(answers.count(200) + answers.count(429), 8)

    def test_sighup_reads_the_keys_again(self):
        with self.serve() as server, server.client(api_key="sk-alice") as client:
            start = time.monotonic()
            running = iter(complete(client, max_tokens=300, stream=True, extra_body={"ignore_eos": True}))
            next(running)
            for _ in range(2):
                complete(client)
            self.write("keys: nonsense")
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log("the API keys stay as they were")
            self.expect_used_up(client, start, sent=3)
            self.write("keys: [{name: alice, key: sk-alice-2}, {name: dave, key: sk-dave}]")
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log(f"read the API keys in {self.file} again")
            with self.assertRaises(openai.AuthenticationError):
                complete(client)
            for key in ("sk-alice-2", "sk-dave"):
                with server.client(api_key=key) as another:
                    complete(another)
            self.assertEqual(list(running)[-1].choices[0].finish_reason, "length")

    def test_the_log_has_names_but_no_keys(self):
        with self.serve() as server, server.client(api_key="sk-alice") as client:
            complete(client)
        log = "".join(server.log)
        self.assertIn("key alice", log)
        self.assertNotIn("sk-", log)

    def test_a_file_of_no_use_ends_the_start(self):
        for text, words in (("keys: []", "no key"), ("keys: [{name: a, key: b, max_concurency: 1}]",
                                                     "did you mean 'max_concurrency'")):
            self.write(text)
            done = subprocess.run([BINARY, "serve", MODEL, "--port", "0", "--api-key-file", str(self.file)],
                                  capture_output=True, text=True, timeout=PATIENCE_SECONDS)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
            self.assertIn(str(self.file), done.stderr)


if __name__ == "__main__":
    unittest.main()
