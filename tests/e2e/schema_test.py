"""Requests that a machine makes of /openapi.json, good ones and bad ones, and answers held against it (schemathesis).

100 examples an operation, 1,000 with QUIRE_LONG=1. No answer may be a 5xx; each has a status and a shape that the description
has; and what the description forbids is refused. What it allows may be refused, too: fields that do not go together, a
prompt that does not fit."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from quire_server import PATIENCE_SECONDS, QuireServer

EXAMPLES = 1000 if os.environ.get("QUIRE_LONG") else 100
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
# Short answers: those to chats default to the rest of the context.
FLAGS = ("--max-model-len", "96", "--max-num-seqs", "8", "--no-log-requests")
VOCABULARY = 49152

# What makes most machine-made requests impossible here, in ways that a description cannot say: fields that need others,
# other flags, or more room. Without them most of the others are answered.
DEMANDING = (
    "best_of", "chat_template_kwargs", "continue_final_message", "early_stopping", "length_penalty", "max_completion_tokens",
    "parse_special", "priority", "prompt_logprobs", "stream_options", "top_logprobs", "use_beam_search",
)  # fmt: skip
LENGTHS = ("max_output_tokens", "max_tokens")
NARROWED = dict.fromkeys(LENGTHS, {"type": "integer", "minimum": 1, "maximum": 8}) | {
    "min_tokens": {"type": "integer", "minimum": 0, "maximum": 1},
    "n": {"type": "integer", "minimum": 1, "maximum": 4},
    "model": {"const": ""},
    "truncate_prompt_tokens": {"type": "integer", "minimum": 1, "maximum": 32},
}


def narrow(description):
    """What this server can answer of what the description allows."""

    def visit(node):
        if isinstance(node, list):
            for item in node:
                visit(item)
        elif isinstance(node, dict):
            if node.get("type") == "integer" and node.get("maximum") == 2**31 - 1:
                node["maximum"] = VOCABULARY - 1  # a token id
            for value in node.values():
                visit(value)

    visit(description)
    for methods in description["paths"].values():
        body = methods.get("post", {}).get("requestBody")
        if not body:
            continue
        schema = body["content"]["application/json"]["schema"]
        properties = schema["properties"]
        for name in DEMANDING:
            properties.pop(name, None)
        for name in NARROWED.keys() & properties.keys():
            properties[name] = NARROWED[name]
        lengths = [name for name in LENGTHS if name in properties]
        schema["required"] = [*(name for name in schema.get("required", ()) if name not in lengths), *lengths]
    return description


class SchemaTest(unittest.TestCase):
    def run_against(self, server, mode, change=lambda description: description):
        with urllib.request.urlopen(server.url + "/openapi.json", timeout=PATIENCE_SECONDS) as answer:
            description = change(json.load(answer))
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "openapi.json").write_text(json.dumps(description))
            command = [
                str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", "openapi.json", "--url", server.url,
                "--mode", mode, "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--phases",
                "coverage,fuzzing", "--seed", "1", "--generation-database", "none", "--request-timeout", "60",
                "--exclude-path", "/v1/engine/events",  # a stream without an end
                "--workers", "1", "--warnings", "off", "--no-color",
            ]  # fmt: skip
            result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=3000)
        self.assertEqual(result.returncode, 0, result.stdout[-8000:] + result.stderr[-2000:])

    def unpin(self, server):
        """Of many prompts some are long enough to be pinned, and stay so."""
        with server.open("/v1/prefixes") as answer:
            pinned = json.load(answer)["data"]
        for prefix in pinned:
            request = urllib.request.Request(f"{server.url}/v1/prefixes/{prefix['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).close()
        print(f"{len(pinned)} prefixes were pinned")

    def test_requests_as_described(self):
        with QuireServer(*FLAGS) as server:
            self.run_against(server, "positive", narrow)
            self.unpin(server)
            server.wait_for_baseline()
            answered = sum(server.metric("vllm:request_success_total", f'finished_reason="{reason}"')
                           for reason in ("stop", "length"))
            self.assertGreater(answered, EXAMPLES)

    def test_requests_as_forbidden(self):
        with QuireServer(*FLAGS) as server:
            self.run_against(server, "negative")
            server.wait_for_baseline()


if __name__ == "__main__":
    unittest.main()
