"""Clients of others, as programs use them, against the real server.

Each client's tests are in clients/ and run in the client's own environment, .venv-clients/NAME (script/setup --clients)."""

import os
import subprocess
import unittest

from quire_server import PATIENCE_SECONDS, ROOT, ServedTest


class ClientsTest(ServedTest):
    flags = ("--max-model-len", "2048")

    def run_tests_of(self, name, module=None):
        environment = dict(
            os.environ, QUIRE_URL=self.server.url, QUIRE_SERVED_MODEL=self.model, LITELLM_LOCAL_MODEL_COST_MAP="True"
        )
        done = subprocess.run(
            [ROOT / ".venv-clients" / name / "bin" / "python", "-m", "unittest", module or f"{name}_client"],
            cwd=ROOT / "tests" / "e2e" / "clients",
            env=environment,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE_SECONDS,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"Ran [1-9]\d* tests? in")

    def test_litellm(self):
        self.run_tests_of("litellm")

    def test_langchain(self):
        self.run_tests_of("langchain")


class ToolsTest(ClientsTest):
    flags = ("--chat-template", str(ROOT / "tests" / "e2e" / "tools_template.jinja"))

    def test_litellm(self):
        self.run_tests_of("litellm", "litellm_tools_client")

    def test_langchain(self):
        self.run_tests_of("langchain", "langchain_tools_client")


if __name__ == "__main__":
    unittest.main()
