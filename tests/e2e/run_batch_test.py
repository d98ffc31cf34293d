"""quire run-batch: OpenAI's batch files, answered in process, and gone on with after a kill."""

import contextlib
import json
import os
import pathlib
import pty
import random
import signal
import subprocess
import tempfile
import unittest

from quire_server import BINARY, MODEL, PATIENCE_SECONDS


def request(custom_id, url, **body):
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}


def some_requests(count):
    """Chats, completions and embeddings, whose answers do not depend on chance."""
    for i in range(count):
        if i % 3 == 0:
            yield request(f"chat-{i}", "/v1/chat/completions", temperature=0, max_tokens=3 + i % 7,
                          messages=[{"role": "user", "content": f"Count from {i}."}])
        elif i % 3 == 1:
            yield request(f"text-{i}", "/v1/completions", prompt=f"{i}, {i + 1},", seed=i, n=2, max_tokens=6)
        else:
            yield request(f"vector-{i}", "/v1/embeddings", input=[f"number {i}", "zero"], pooling="mean")


def essence(line):
    """What of an answer does not change from run to run."""
    body = line["response"]["body"]
    if "choices" in body:
        return [choice.get("text") or choice["message"]["content"] for choice in body["choices"]]
    return [entry["embedding"] for entry in body["data"]]


class RunBatch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.input = self.folder / "in.jsonl"

    def write_input(self, requests):
        self.input.write_text("".join(json.dumps(line) + "\n" for line in requests))

    def command(self, output, *flags):
        return [BINARY, "run-batch", MODEL, "-i", str(self.input), "-o", str(output), *flags]

    def run_batch(self, output, *flags, code=0):
        done = subprocess.run(self.command(output, *flags), capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_a_terminal_shows_how_far_it_is(self):
        self.write_input(some_requests(6))
        terminal, other_end = pty.openpty()
        run = subprocess.Popen(self.command(self.folder / "out.jsonl"), stderr=other_end)
        os.close(other_end)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the process, and so its end, is gone
            while piece := os.read(terminal, 1 << 16):
                shown += piece
        os.close(terminal)
        self.assertEqual(run.wait(PATIENCE_SECONDS), 0)
        self.assertRegex(shown.decode(), r"\r\[#*-+\] [1-5]/6, \d+ s ")
        self.assertRegex(shown.decode(), r"\r\[#{40}\] 6/6, \d+ s \r\x1b\[K6 requests answered in ")

    def answers(self, output):
        """By custom_id, each of which is there once."""
        lines = [json.loads(line) for line in output.read_text().splitlines()]
        answers = {line["custom_id"]: line for line in lines}
        self.assertEqual(len(answers), len(lines))
        return answers

    def test_responses_and_messages_and_the_servers_configuration(self):
        self.write_input([
            request("r", "/v1/responses", input="One, two,", max_output_tokens=16, temperature=0, unknown=1),
            request("m", "/v1/messages", messages=[{"role": "user", "content": "One, two,"}], max_tokens=16, temperature=0),
            request("c", "/v1/chat/completions", messages=[{"role": "user", "content": "One, two,"}], max_tokens=16,
                    temperature=0),
            request("bad", "/v1/messages", messages=[])])
        config = self.folder / "quire.yaml"
        deployed = pathlib.Path(__file__).parents[2] / "deploy/quire.yaml"
        config.write_text(deployed.read_text() + "reasoning-parser: deepseek_r1\nignore-unknown-fields: true\n")
        output = self.folder / "out.jsonl"
        self.run_batch(output, "--config", str(config), code=1)
        answers = {name: line["response"] for name, line in self.answers(output).items()}
        message = answers["c"]["body"]["choices"][0]["message"]
        self.assertNotEqual(message["reasoning_content"], "")
        self.assertEqual(answers["m"]["body"]["content"][0]["thinking"], message["reasoning_content"])
        self.assertEqual(answers["r"]["body"]["output"][0]["content"][0]["text"], message["reasoning_content"])
        self.assertIs(answers["r"]["body"]["store"], False)
        self.assertEqual(answers["bad"]["status_code"], 400)
        self.assertEqual(answers["bad"]["body"]["error"]["type"], "invalid_request_error")
        self.assertEqual(answers["bad"]["body"]["type"], "error")

    def test_every_line_is_answered_once(self):
        requests = list(some_requests(24))
        self.write_input(requests)
        output = self.folder / "out.jsonl"
        self.assertIn("24 requests answered", self.run_batch(output).stderr)
        answers = self.answers(output)
        self.assertEqual(set(answers), {line["custom_id"] for line in requests})
        for line in answers.values():
            self.assertEqual(line["response"]["status_code"], 200)
            self.assertIsNone(line["error"])
        self.assertEqual(answers["chat-0"]["response"]["body"]["object"], "chat.completion")
        self.assertEqual(len(answers["text-1"]["response"]["body"]["choices"]), 2)
        self.assertAlmostEqual(sum(x * x for x in essence(answers["vector-2"])[0]), 1, 4)

        # All of it is there: nothing is done again.
        before = output.read_bytes()
        self.assertIn("24 had an answer before", self.run_batch(output).stderr)
        self.assertEqual(output.read_bytes(), before)

    def test_kills_at_random_moments_lose_and_repeat_nothing(self):
        self.write_input(some_requests(60))
        unbroken, output = self.folder / "unbroken.jsonl", self.folder / "broken.jsonl"
        self.run_batch(unbroken)
        output.touch()
        chance = random.Random(6)
        for _ in range(4):
            start = output.stat().st_size
            wanted = start + chance.randrange(1, 6000)
            process = subprocess.Popen(self.command(output, "--max-num-seqs", "4"), stderr=subprocess.DEVNULL)
            while output.stat().st_size < wanted and process.poll() is None:
                try:
                    process.wait(0.002)
                except subprocess.TimeoutExpired:
                    pass
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_SECONDS)
            with open(output, "ab") as file:  # what a kill within a write leaves
                file.write(b'{"id":"batch_req_0","custom_id":"text-1","resp')
        self.run_batch(output)
        expected, answers = self.answers(unbroken), self.answers(output)
        self.assertEqual({name: essence(line) for name, line in answers.items()},
                         {name: essence(line) for name, line in expected.items()})

    def test_bad_lines_are_answered_too_and_stop_nothing(self):
        good = request("good", "/v1/completions", prompt="a", max_tokens=1)
        lines = [json.dumps(good), "{not json", "",
                 json.dumps(request("get", "/v1/completions") | {"method": "GET"}),
                 json.dumps(request("where", "/v1/audio", input="x")),
                 json.dumps(request("field", "/v1/completions", prompt="a", temperature=9)),
                 json.dumps(request("model", "/v1/completions", prompt="a", model="gpt-9")),
                 json.dumps(request("stream", "/v1/completions", prompt="a", stream=True))]
        self.input.write_text("\n".join(lines))
        output = self.folder / "out.jsonl"
        self.assertIn("6 of 7 requests failed", self.run_batch(output, code=1).stderr)
        answers = self.answers(output)
        self.assertEqual(answers["good"]["response"]["status_code"], 200)
        self.assertIn("line 2", answers[None]["error"]["message"])
        self.assertEqual(answers["get"]["error"]["param"], "method")
        self.assertIn("line 5", answers["where"]["error"]["message"])
        for name, status, param in (("field", 400, "temperature"), ("model", 404, "model"), ("stream", 400, "stream")):
            self.assertEqual(answers[name]["response"]["status_code"], status)
            self.assertEqual(answers[name]["response"]["body"]["error"]["param"], param)
        self.assertIn("7 had an answer before", self.run_batch(output).stderr)

    def test_standard_output_and_names(self):
        self.write_input([request("a", "/v1/completions", model="mine", prompt="a", max_tokens=1)])
        done = self.run_batch("-", "--served-model-name", "mine")
        self.assertEqual(json.loads(done.stdout)["response"]["body"]["model"], "mine")

    def test_what_cannot_be_run(self):
        output = self.folder / "out.jsonl"
        self.write_input([request("a", "/v1/completions"), request("a", "/v1/completions")])
        self.assertIn("same custom_id", self.run_batch(output, code=1).stderr)
        self.write_input([])
        self.assertIn("0 requests answered", self.run_batch(output).stderr)
        self.assertIn("both input and output", self.run_batch(self.input, code=1).stderr)
        self.input.unlink()
        self.assertIn("No such file", self.run_batch(output, code=1).stderr)
        self.assertIn("required", subprocess.run([BINARY, "run-batch"], capture_output=True, text=True).stderr)


if __name__ == "__main__":
    unittest.main()
