"""Runs the real binary as a server, for the end-to-end tests.

QUIRE_BINARY and QUIRE_MODEL name another binary or model than the defaults. Everything waits with a bound and never
sleeps to let something happen."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import unittest
import urllib.request

import openai

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("QUIRE_BINARY", str(ROOT / "build" / "release" / "quire"))
MODEL = os.environ.get("QUIRE_MODEL", str(ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
PATIENCE_SECONDS = 120
KV_BYTES_A_TOKEN = 30 * 2 * 3 * 64 * 2  # of the default model: layers, keys and values, heads, width, fp16


class QuireServer:
    """`quire serve` on a free port. A context manager; on leaving, the server must end well. `trust`: the ssl.SSLContext
    of clients, where it speaks HTTPS."""

    def __init__(self, *flags, env=None, trust=None, model=MODEL):
        self.trust = trust
        command = [BINARY, "serve", *([model] if model else []), "--port", "0", *flags]
        environment = {key: value for key, value in os.environ.items() if key != "QUIRE_API_KEY"}
        environment.update(env or {})
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.log = []
        self.url = None
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        with self._changed:
            ready = self._changed.wait_for(lambda: self.url or self._ended, PATIENCE_SECONDS)
        if not ready or not self.url:
            self.process.kill()
            raise RuntimeError("the server did not start:\n" + "".join(self.log))

    _ended = False

    def _read_log(self):
        for line in self.process.stderr:
            with self._changed:
                self.log.append(line)
                found = re.search(r"serving .* at (https?://[^\s\"]+)", line)
                if found:
                    self.url = found.group(1)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.wait()
        if code != 0:
            raise AssertionError(f"the server ended with {code}:\n" + "".join(self.log))

    def wait(self):
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(PATIENCE_SECONDS)
            self.process.stderr.close()

    def wait_for_log(self, text):
        """Until a line has it."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(text in line for line in self.log), PATIENCE_SECONDS):
                raise AssertionError(f"the log never has '{text}':\n" + "".join(self.log))

    def client(self, **options):
        options.setdefault("api_key", "none")
        options.setdefault("max_retries", 0)
        options.setdefault("timeout", PATIENCE_SECONDS)
        if self.trust:
            options["http_client"] = openai.DefaultHttpxClient(verify=self.trust)
        return openai.OpenAI(base_url=self.url + "/v1", **options)

    @property
    def address(self):
        host, port = self.url.split("://")[1].rsplit(":", 1)
        return host, int(port)

    def open(self, path):
        return urllib.request.urlopen(self.url + path, timeout=PATIENCE_SECONDS, context=self.trust)

    def metric(self, name, label=""):
        """The sum of a metric's samples; of those with `label`, such as 'reason="stop"'."""
        with self.open("/metrics") as answer:
            text = answer.read().decode()
        samples = re.findall(rf"^{re.escape(name)}({{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        values = [float(value) for labels, value in samples if label in labels]
        if not values:
            raise AssertionError(f"/metrics has no {name} {label}")
        return sum(values)

    def wait_for_metric(self, name, accept):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not accept(value := self.metric(name)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} stays at {value}")
            time.sleep(0.01)

    def wait_for_baseline(self):
        """Nothing runs or waits, and every block is free."""
        for name in ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"):
            self.wait_for_metric(name, lambda value: value == 0)


class ServedTest(unittest.TestCase):
    """Tests that share one server with `flags`."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = QuireServer(*cls.flags)
        cls.client = cls.server.client()
        cls.model = cls.client.models.list().data[0].id

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.__exit__(None, None, None)

    def tearDown(self):
        self.server.wait_for_baseline()

    def chat(self, text, **options):
        return self.client.chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": text}], **options
        )

    def complete(self, prompt, **options):
        return self.client.completions.create(model=self.model, prompt=prompt, **options)
