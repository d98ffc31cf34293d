"""lm-eval measures the served model, and what it reports is what the server says when asked in other ways.

Runs in .venv-clients/lm-eval (script/setup --clients), on tasks of our own in clients/lm_eval_tasks."""

import json
import math
import os
import pathlib
import subprocess
import tempfile
import unittest

from quire_server import PATIENCE_SECONDS, ROOT, ServedTest

TASKS = ROOT / "tests" / "e2e" / "clients" / "lm_eval_tasks"
BOS, EOS = "<|im_start|>", "<|im_end|>"


def documents(name):
    return [json.loads(line) for line in (TASKS / f"{name}.jsonl").read_text().splitlines()]


class LmEvalTest(ServedTest):
    flags = ("--max-model-len", "2048")

    def evaluate(self, model, path, tasks, *arguments, **options):
        """Scores by task, and its samples in the order of the documents."""
        options = {"model": self.model, "base_url": self.server.url + path, "num_concurrent": 4, **options}
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, HF_HOME=folder, HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
            done = subprocess.run(
                [ROOT / ".venv-clients/lm-eval/bin/python", "-m", "lm_eval", "run", "--model", model, "--model_args",
                 ",".join(f"{key}={value}" for key, value in options.items()), "--tasks", ",".join(tasks),
                 "--include_path", TASKS, "--output_path", folder, "--log_samples", *arguments],
                cwd=TASKS, env=environment, capture_output=True, text=True, timeout=3 * PATIENCE_SECONDS)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("Retry", done.stderr)
            (written,) = pathlib.Path(folder).rglob("results_*.json")
            scores = json.loads(written.read_text())["results"]
            samples = {}
            for task in tasks:
                (written,) = pathlib.Path(folder).rglob(f"samples_{task}_*.jsonl")
                rows = [json.loads(line) for line in written.read_text().splitlines()]
                samples[task] = sorted(rows, key=lambda row: row["doc_id"])
        return scores, samples

    def log_likelihood(self, context, continuation):
        """Of the second text after the first, as prompt_logprobs has it."""
        self.assertEqual(self.tokens(context) + self.tokens(continuation), self.tokens(context + continuation))
        answer = self.complete(context + continuation, max_tokens=1, extra_body={"prompt_logprobs": 0})
        rows = answer.choices[0].model_extra["prompt_logprobs"]
        return sum(next(iter(row.values()))["logprob"] for row in rows[len(self.tokens(context)) :] if row)

    def tokens(self, text):
        return self.client.post("../tokenize", body={"prompt": text}, cast_to=object)["tokens"]

    def test_log_likelihoods_generations_and_perplexity(self):
        scores, samples = self.evaluate(
            "local-completions", "/v1/completions", ["quire_capitals", "quire_sequences", "quire_tales"],
            "--batch_size", "5")
        self.check_capitals(scores["quire_capitals"], samples["quire_capitals"])
        self.check_sequences(scores["quire_sequences"], samples["quire_sequences"])
        self.check_tales(scores["quire_tales"])

    def check_capitals(self, scores, samples):
        hits = 0
        for document, sample in zip(documents("capitals"), samples, strict=True):
            context = f"The capital of {document['country']} is"
            wanted = [self.log_likelihood(context, " " + city) for city in document["cities"]]
            hits += wanted.index(max(wanted)) == document["right"]
            for ((reported, greedy),), own, city in zip(sample["resps"], wanted, document["cities"], strict=True):
                self.assertAlmostEqual(float(reported), own, delta=0.05)
                length = len(self.tokens(" " + city))
                said = self.complete(context, temperature=0, max_tokens=length).choices[0].text
                self.assertEqual(str(greedy), str(said == " " + city))
        self.assertEqual(scores["acc,none"], hits / len(samples))

    def check_sequences(self, scores, samples):
        hits = 0
        for document, sample in zip(documents("sequences"), samples, strict=True):
            said = self.complete(document["begun"], temperature=0, max_tokens=8, stop=[",", "\n", EOS]).choices[0].text
            self.assertEqual(sample["resps"], [[said]])
            hits += said == " " + document["next"]
        self.assertGreater(hits, 0)
        self.assertEqual(scores["exact_match,none"], hits / len(samples))

    def check_tales(self, scores):
        tales = [document["tale"] for document in documents("tales")]
        total = sum(self.log_likelihood(BOS, tale) for tale in tales)
        words = sum(len(tale.split()) for tale in tales)
        self.assertAlmostEqual(math.log(scores["word_perplexity,none"]), -total / words, delta=0.02)

    def test_chat(self):
        _, samples = self.evaluate(
            "local-chat-completions", "/v1/chat/completions", ["quire_sequences"], "--apply_chat_template")
        for document, sample in zip(documents("sequences"), samples["quire_sequences"], strict=True):
            said = self.chat(document["begun"], temperature=0, max_tokens=8, stop=[",", "\n"])
            self.assertEqual(sample["resps"], [[said.choices[0].message.content]])


if __name__ == "__main__":
    unittest.main()
