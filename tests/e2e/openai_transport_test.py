"""How the official client goes about it: raw and streamed responses, retries, time limits, many at once with asyncio."""

import asyncio
import concurrent.futures
import unittest

import openai

from quire_server import PATIENCE_SECONDS, QuireServer, ServedTest

QUESTION = [{"role": "user", "content": "Name three colours."}]
ENDLESS = {"max_tokens": 4000, "extra_body": {"ignore_eos": True}}


class TransportTest(ServedTest):
    def asked(self, **options):
        return {"model": self.model, "messages": QUESTION, "temperature": 0, "max_tokens": 12, **options}

    def test_raw_responses(self):
        raw = self.client.chat.completions.with_raw_response.create(**self.asked())
        self.assertEqual(raw.status_code, 200)
        self.assertEqual(raw.headers["content-type"], "application/json")
        self.assertRegex(raw.headers["openai-processing-ms"], r"^\d+$")
        answer = raw.parse()
        self.assertEqual(answer.usage.completion_tokens, 12)
        self.assertRegex(answer.system_fingerprint, r"^fp_[0-9a-f]{10}$")

    def test_responses_that_are_read_as_they_come(self):
        create = self.client.chat.completions.with_streaming_response.create
        with create(**self.asked(stream=True)) as response:
            self.assertTrue(response.headers["content-type"].startswith("text/event-stream"))
            lines = [line for line in response.iter_lines() if line]
        self.assertTrue(all(line.startswith("data: ") for line in lines))
        self.assertEqual(lines[-1], "data: [DONE]")

    def test_the_stream_helper_puts_the_answer_together(self):
        asked = self.asked(max_tokens=100, stop=["\n"])  # the helper makes an error of an answer that was cut off
        with self.client.chat.completions.stream(**asked) as stream:
            deltas = [event.delta for event in stream if event.type == "content.delta"]
            final = stream.get_final_completion()
        whole = self.client.chat.completions.create(**asked)
        self.assertEqual("".join(deltas), whole.choices[0].message.content)
        self.assertEqual(final.choices[0].message.content, whole.choices[0].message.content)
        self.assertEqual(final.choices[0].finish_reason, "stop")

    def test_a_time_limit_ends_the_request_on_the_server(self):
        with self.assertRaises(openai.APITimeoutError):
            self.client.with_options(timeout=0.5).chat.completions.create(**self.asked(**ENDLESS))
        self.server.wait_for_baseline()

    def test_many_streams_of_one_asynchronous_client(self):
        async def ask(client, number):
            stream = await client.completions.create(
                model=self.model, prompt=f"{number % 4}, {number % 4},", temperature=0, max_tokens=12, stream=True)
            return "".join([chunk.choices[0].text async for chunk in stream])

        async def ask_all():
            async with openai.AsyncOpenAI(
                base_url=self.server.url + "/v1", api_key="none", max_retries=0, timeout=PATIENCE_SECONDS
            ) as client:
                return await asyncio.gather(*(ask(client, number) for number in range(32)))

        answers = asyncio.run(ask_all())
        self.assertEqual(answers, answers[:4] * 8)
        self.assertTrue(all(answers))

    def test_cancelled_tasks_free_what_they_held(self):
        async def leave_all():
            async with openai.AsyncOpenAI(base_url=self.server.url + "/v1", api_key="none", max_retries=0) as client:
                tasks = [asyncio.create_task(client.chat.completions.create(**self.asked(**ENDLESS))) for _ in range(8)]
                while self.server.metric("vllm:num_requests_running") < 8:
                    await asyncio.sleep(0.01)
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                self.assertTrue(all(isinstance(end, asyncio.CancelledError) for end in ended))

        asyncio.run(leave_all())
        self.server.wait_for_baseline()


class RetryTest(unittest.TestCase):
    def test_a_client_that_is_told_to_come_again_does(self):
        """Refused with 429 at first, its own retries bring it the answer once the queue has room."""
        with QuireServer("--max-num-seqs", "1", "--max-queue", "1") as server, server.client() as client:
            asked = {"model": "", "messages": QUESTION, "max_tokens": 4}
            with server.client(max_retries=10) as patient, concurrent.futures.ThreadPoolExecutor(2) as pool:
                running = client.chat.completions.create(**{**asked, **ENDLESS}, stream=True)
                next(iter(running))
                waiting = pool.submit(client.chat.completions.create, **asked)
                server.wait_for_metric("vllm:num_requests_waiting", lambda value: value == 1)
                refused = pool.submit(patient.chat.completions.with_raw_response.create, **asked)
                self.wait_for_line(server, " 429 ")
                running.close()
                self.assertEqual(waiting.result(PATIENCE_SECONDS).usage.completion_tokens, 4)
                raw = refused.result(PATIENCE_SECONDS)
                self.assertGreater(raw.retries_taken, 0)
                self.assertEqual(raw.parse().usage.completion_tokens, 4)
            server.wait_for_baseline()

    def wait_for_line(self, server, text):
        with server._changed:
            found = server._changed.wait_for(lambda: any(text in line for line in server.log), PATIENCE_SECONDS)
        self.assertTrue(found, server.log)


if __name__ == "__main__":
    unittest.main()
