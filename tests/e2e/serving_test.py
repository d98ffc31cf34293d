"""What a server must survive: full queues, clients that leave, pools that are almost too small, its own end."""

import concurrent.futures
import signal
import socket
import unittest
import urllib.error
import urllib.request

import openai

from quire_server import KV_BYTES_A_TOKEN, PATIENCE_SECONDS, QuireServer

MESSAGES = [{"role": "user", "content": "Tell me a long story."}]


def chat(client, **options):
    options.setdefault("max_tokens", 200)
    extra = {"ignore_eos": True}
    return client.chat.completions.create(model="", messages=MESSAGES, extra_body=extra, **options)


class QueueTest(unittest.TestCase):
    def test_a_full_queue_is_a_429_that_says_when_to_come_again(self):
        with QuireServer("--max-num-seqs", "1", "--max-queue", "1") as server, server.client() as client:
            running = chat(client, stream=True, max_tokens=4000)
            next(iter(running))
            waiting = chat_in_background(server)
            server.wait_for_metric("vllm:num_requests_waiting", lambda value: value == 1)
            with self.assertRaises(openai.RateLimitError) as caught:
                chat(client, max_tokens=1)
            self.assertEqual(caught.exception.response.headers["Retry-After"], "1")
            running.close()  # a disconnect: the waiting one runs now
            self.assertEqual(waiting.result(PATIENCE_SECONDS).usage.completion_tokens, 8)
            server.wait_for_baseline()


def chat_in_background(server):
    pool = concurrent.futures.ThreadPoolExecutor(1)

    def ask():
        with server.client() as client:
            return chat(client, max_tokens=8)

    future = pool.submit(ask)
    pool.shutdown(wait=False)
    return future


class DisconnectTest(unittest.TestCase):
    def test_leaving_in_any_stage_frees_the_blocks(self):
        with QuireServer() as server, server.client() as client:
            for _ in range(3):
                stream = chat(client, stream=True, max_tokens=4000, n=2)
                next(iter(stream))
                self.assertGreater(server.metric("vllm:kv_cache_usage_perc"), 0)
                stream.close()
                server.wait_for_baseline()
            body = b'{"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": true}'
            head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
            for sent in (head[:20], head, head + body[:10], head + body):
                with socket.create_connection(server.address, PATIENCE_SECONDS) as connection:
                    connection.sendall(sent)
                    if sent == head + body:
                        server.wait_for_metric("vllm:num_requests_running", lambda value: value == 1)
                server.wait_for_baseline()
            self.assertEqual(chat(client, max_tokens=3).usage.completion_tokens, 3)


class SmallPoolTest(unittest.TestCase):
    def test_a_pool_of_two_blocks_serves_what_it_can(self):
        pool = 2 * 16 * KV_BYTES_A_TOKEN
        with QuireServer("--kv-cache-memory-bytes", str(pool)) as server, server.client() as client:
            model = client.models.list().data[0]
            self.assertEqual(model.max_model_len, 32)
            answers = []
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                for answer in pool.map(
                    lambda i: client.completions.create(
                        model="", prompt=f"{i}, {i}, {i},", temperature=0, max_tokens=16
                    ),
                    [1, 2, 3, 4] * 4,
                ):
                    answers.append(answer.choices[0].text)
            self.assertEqual(answers[:4] * 4, answers)
            with self.assertRaises(openai.BadRequestError) as caught:
                client.completions.create(model="", prompt="word " * 40)
            self.assertIn("32", str(caught.exception))
            server.wait_for_baseline()


class KeyTest(unittest.TestCase):
    def test_with_a_key_only_probes_are_open(self):
        with QuireServer(env={"QUIRE_API_KEY": "secret"}) as server:
            with server.client(api_key="wrong") as client, self.assertRaises(openai.AuthenticationError):
                client.models.list()
            with server.client(api_key="secret") as client:
                self.assertTrue(client.models.list().data)
            for path in ("/live", "/ready", "/health"):
                with urllib.request.urlopen(server.url + path, timeout=PATIENCE_SECONDS) as answer:
                    self.assertEqual(answer.status, 200)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(server.url + "/metrics", timeout=PATIENCE_SECONDS)
            self.assertEqual(caught.exception.code, 401)
            caught.exception.close()


class DrainTest(unittest.TestCase):
    def test_sigterm_lets_what_runs_finish(self):
        with QuireServer() as server, server.client() as client:
            stream = iter(chat(client, stream=True, max_tokens=100))
            chunks = [next(stream)]
            server.process.send_signal(signal.SIGTERM)
            chunks += stream
            self.assertEqual(chunks[-1].choices[0].finish_reason, "length")
            self.assertEqual(server.wait(), 0)

    def test_what_does_not_finish_in_time_is_told(self):
        with QuireServer("--shutdown-timeout", "0.1") as server, server.client() as client:
            stream = iter(chat(client, stream=True, max_tokens=8000))
            next(stream)
            server.process.send_signal(signal.SIGTERM)
            with self.assertRaises(openai.APIError) as caught:
                list(stream)
            self.assertIn("shutting down", str(caught.exception))
            self.assertEqual(server.wait(), 0)

    def test_a_second_signal_ends_it_at_once(self):
        server = QuireServer()
        with server.client() as client:
            stream = iter(chat(client, stream=True, max_tokens=8000))
            next(stream)
            server.process.send_signal(signal.SIGTERM)
            with server._changed:
                server._changed.wait_for(lambda: any("SIGTERM" in line for line in server.log), PATIENCE_SECONDS)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
