"""How each engine is run for one measurement, and what it answers: a dict with tokens a second, seconds, bytes."""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


class Failed(RuntimeError):
    """A contestant's process ended badly; the message has the end of what it said."""


def run_process(command, timeout_s=1800):
    """Stdout of a command, and the peak of its resident memory in bytes."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        deadline = time.monotonic() + timeout_s
        pid = 0
        while pid == 0:
            time.sleep(0.05)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid == 0 and time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise Failed(f"{command[0]} took more than {timeout_s} s")
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)}\nended with {process.returncode}: {errors.read()[-2000:]}")
        return output.read(), usage.ru_maxrss * 1024


def json_lines(text):
    """The JSON objects among the lines of `text`."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Server:
    """A server process, from its start until it answers /health, to its end."""

    def __init__(self, command, port):
        self.command = [str(word) for word in command]
        self.port = port
        self.ready_s = None
        self.peak_memory_bytes = None

    def __enter__(self):
        start = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self._healthy():
            if self.process.poll() is not None or time.monotonic() - start > 120:
                self.process.kill()
                raise Failed(f"{' '.join(self.command)} did not come up")
            time.sleep(0.005)
        self.ready_s = time.monotonic() - start
        return self

    def _healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def __exit__(self, *_):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            peak = [line.split()[1] for line in status if line.startswith("VmHWM:")]
        self.peak_memory_bytes = int(peak[0]) * 1024 if peak else None
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Quire:
    """Quire itself, in process through `quire bench latency`, or as a server. Without its prefix cache: prompts are new
    each time, and the peers' caches are off too."""

    def __init__(self, name, binary, model, threads):
        self.name, self.binary, self.model, self.threads = name, binary, model, threads

    def measure(self, batch_size, input_len, output_len, iterations):
        output, peak = run_process([
            self.binary, "bench", "latency", "--model", self.model, "--threads", self.threads, "--json", "-",
            "--batch-size", batch_size, "--input-len", input_len, "--output-len", output_len,
            "--iterations", iterations, "--seed", time.time_ns() % 2**31, "--no-enable-prefix-caching"])
        return {**json_lines(output)[0], "peak_memory_bytes": peak}

    def server(self, port, slots):
        return Server([self.binary, "serve", self.model, "--port", port, "--threads", self.threads,
                       "--max-num-seqs", slots, "--log-level", "warning", "--no-log-requests",
                       "--no-enable-prefix-caching"], port)

    extra_body = {}


class LlamaCpp:
    """llama.cpp's own benchmarks and server, with flash attention, all slots batched, and its caches off."""

    def __init__(self, name, peers, model, threads):
        self.name, self.peers, self.model, self.threads = name, peers, model, threads

    def measure(self, batch_size, input_len, output_len, iterations):
        if output_len == 1:
            return self._prefill(input_len, iterations)
        context = batch_size * (input_len + output_len)
        rates, peaks = [], []
        for _ in range(iterations):
            output, peak = run_process([
                self.peers.llama("llama-batched-bench"), "-m", self.model, "-t", self.threads, "-tb", self.threads,
                "-fa", "on", "-c", context, "-b", 2048, "-ub", 512, "-npp", input_len, "-ntg", output_len,
                "-npl", batch_size, "--output-format", "jsonl"])
            rates.append(json_lines(output)[-1])
            peaks.append(peak)
        return {"prefill_tokens_per_s": statistics.median(rate["speed_pp"] for rate in rates),
                "decode_tokens_per_s": statistics.median(rate["speed_tg"] for rate in rates),
                "peak_memory_bytes": max(peaks)}

    def _prefill(self, input_len, iterations):
        output, peak = run_process([self.peers.llama("llama-bench"), "-m", self.model, "-t", self.threads, "-fa", "on",
                              "-p", input_len, "-n", 0, "-r", iterations, "-o", "jsonl"])
        return {"prefill_tokens_per_s": statistics.median(json_lines(output)[0]["samples_ts"]),
                "peak_memory_bytes": peak}

    def server(self, port, slots):
        return Server([self.peers.llama("llama-server"), "-m", self.model, "--port", port, "-t", self.threads,
                       "-tb", self.threads, "-fa", "on", "-cb", "-np", slots, "-c", slots * 1280, "-b", 2048,
                       "-ub", 512, "--no-cache-prompt", "--cache-ram", 0, "--no-webui"], port)

    extra_body = {"cache_prompt": False}


class OpenVino:
    """OpenVINO GenAI's continuous batching pipeline, in its own virtual environment."""

    def __init__(self, name, peers, model, threads):
        self.name, self.peers, self.model, self.threads = name, peers, model, threads

    def measure(self, batch_size, input_len, output_len, iterations):
        output, peak = run_process([
            self.peers.openvino_python, HERE / "openvino_bench.py", "--model", self.model,
            "--threads", self.threads, "--batch-size", batch_size, "--input-len", input_len,
            "--output-len", output_len, "--iterations", iterations])
        return {**json_lines(output)[-1], "peak_memory_bytes": peak}


def core_count():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
