#!/usr/bin/env python3
"""What the HTTP front costs, and whether bad requests disturb anybody.

    bench/front.py --rounds 4 --seconds 10

A server with --streams endless streams: alone, with bad requests beside them, again with them, and alone again, each time
with fresh streams of the same prompts, so that all are measured at the same lengths of context and what the machine does
meanwhile falls on both alike. Reported: the CPU time that threads other than the engine's and those that compute take, at
500 tokens a second; how long bad requests take to be refused; how much later other streams' tokens come for it. The
client is one thread on the same machine.
"""

import argparse
import json
import os
import pathlib
import selectors
import socket
import statistics
import sys
import time

from contestants import Quire, core_count

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 8417
COMPUTING = ("quire-compute", "quire-engine")
WARM_TOKENS = 8  # of each stream, before anything is measured

LONG = "word " * 200_000
BAD = {
    "no JSON": ("/v1/completions", b"{"),
    "a negative n": ("/v1/completions", json.dumps({"prompt": "x", "n": -1}).encode()),
    "an unknown field": ("/v1/chat/completions", json.dumps({"messages": [], "mesages": 1}).encode()),
    "no messages": ("/v1/chat/completions", json.dumps({"messages": []}).encode()),
    "an unknown model": ("/v1/completions", json.dumps({"prompt": "x", "model": "gpt-7"}).encode()),
    "nested deeply": ("/v1/completions", b'{"prompt":' + b"[" * 100_000),
    "a prompt beyond the context": ("/v1/completions", json.dumps({"prompt": LONG}).encode()),
    "an unknown path": ("/v2/completions", b"{}"),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="times that either is measured twice (default: 4)")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--streams", type=int, default=16, help="streams at once (default: 16)")
    parser.add_argument("--bad-rate", type=float, default=20, help="bad requests a second (default: 20)")
    parser.add_argument("--model", default=str(ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--quire", default=str(ROOT / "build" / "release" / "quire"), help="the binary")
    return parser.parse_args()


def post(path, body):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            .encode() + body)


def front_cpu_s(pid):
    """CPU time of the threads that neither compute nor run the engine."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        stat = (task / "stat").read_text()
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        fields = stat[stat.rindex(")") + 2:].split()
        if name not in COMPUTING:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Stream:
    """An endless completion: when it ends another one begins."""

    def __init__(self, number):
        self.number, self.last = number, None
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT))
        self.socket.setblocking(False)
        body = json.dumps({"prompt": f"{self.number}: a story", "max_tokens": 1500, "ignore_eos": True,
                           "stream": True, "seed": self.number}).encode()
        self.socket.sendall(post("/v1/completions", body))
        self.last = None

    def read(self, now, gaps):
        """Notes gaps between tokens; true when the stream is at its end."""
        piece = self.socket.recv(1 << 16)
        tokens = piece.count(b"data: {")
        if tokens:
            if self.last is not None:
                gaps.append(now - self.last)
            self.last = now
        return tokens, not piece or b"[DONE]" in piece


class Refused:
    """One bad request, from its first byte to the end of its answer."""

    def __init__(self, name):
        self.name, (path, body) = name, BAD[name]
        self.socket = socket.create_connection(("127.0.0.1", PORT))
        self.rest = post(path, body)
        self.socket.setblocking(False)
        self.begun = time.perf_counter()
        self.write()

    def write(self):
        try:
            self.rest = self.rest[self.socket.send(self.rest):]
        except BlockingIOError:
            pass
        except OSError:  # refused before all of it was sent
            self.rest = b""


def read_streams(selector, keys, now, gaps):
    """Tokens that came on the streams among `keys`; those that have ended begin again."""
    num_tokens = 0
    for key in keys:
        tokens, ended = key.data.read(now, gaps)
        num_tokens += tokens
        if ended:
            selector.unregister(key.data.socket)
            key.data.socket.close()
            key.data.open()
            selector.register(key.data.socket, selectors.EVENT_READ, key.data)
    return num_tokens


class Measurement:
    """What one run brought: gaps between tokens and times to refusal in seconds."""

    def __init__(self):
        self.gaps, self.refused = [], {name: [] for name in BAD}
        self.num_tokens = self.elapsed_s = 0
        self.num_bad = self.pending = 0

    def run(self, selector, seconds, bad_rate):
        names = list(BAD)
        begun = time.perf_counter()
        while (now := time.perf_counter()) < begun + seconds or self.pending:
            if bad_rate and now < begun + seconds and now >= begun + self.num_bad / bad_rate:
                bad = Refused(names[self.num_bad % len(names)])
                self.num_bad += 1
                self.pending += 1
                selector.register(bad.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if bad.rest else 0), bad)
            ready = selector.select(0.002 if bad_rate else 0.05)
            now = time.perf_counter()
            streams = [key for key, _ in ready if isinstance(key.data, Stream)]
            self.num_tokens += read_streams(selector, streams, now, self.gaps)
            for key, events in ready:
                if isinstance(key.data, Refused):
                    self.serve_refused(selector, key.data, events)
        self.elapsed_s = time.perf_counter() - begun

    def serve_refused(self, selector, bad, events):
        if events & selectors.EVENT_WRITE:
            bad.write()
            if not bad.rest:
                selector.modify(bad.socket, selectors.EVENT_READ, bad)
        if events & selectors.EVENT_READ:
            answer = bad.socket.recv(1 << 16)
            if not answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")):
                raise SystemExit(f"{bad.name}: {answer[:200]}")
            self.refused[bad.name].append(time.perf_counter() - bad.begun)
            selector.unregister(bad.socket)
            bad.socket.close()
            self.pending -= 1


def measure(num_streams, seconds, bad_rate, pid):
    """A Measurement of fresh streams, and the CPU time of the front meanwhile."""
    streams = [Stream(number) for number in range(num_streams)]
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.socket, selectors.EVENT_READ, stream)
        warm = Measurement()
        while warm.num_tokens < WARM_TOKENS * num_streams:
            warm.run(selector, 0.1, 0)
        for stream in streams:
            stream.last = None
        cpu_before = front_cpu_s(pid)
        measurement = Measurement()
        measurement.run(selector, seconds, bad_rate)
        cpu_s = front_cpu_s(pid) - cpu_before
    for stream in streams:
        stream.socket.close()
    return measurement, cpu_s


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(alone, beside, shares):
    for name, share in (("median", 0.5), ("p99", 0.99)):
        before = percentile([gap for one in alone for gap in one.gaps], share)
        after = percentile([gap for one in beside for gap in one.gaps], share)
        print(f"{name} between tokens: {1e3 * before:.1f} ms alone, {1e3 * after:.1f} ms beside bad requests "
              f"({100 * (after / before - 1):+.1f}%)")
    print(f"front: {100 * statistics.median(shares):.2f}% of a core at 500 tokens/s")
    refused = {name: [seconds for one in beside for seconds in one.refused[name]] for name in BAD}
    every = [seconds for times in refused.values() for seconds in times]
    print(f"refused: p50 {1e3 * percentile(every, 0.5):.2f} ms, p99 {1e3 * percentile(every, 0.99):.2f} ms")
    for name, times in refused.items():
        print(f"  {name}: p50 {1e3 * percentile(times, 0.5):.2f} ms, most {1e3 * max(times):.2f} ms of {len(times)}")


def main():
    arguments = parse_arguments()
    quire = Quire("quire", arguments.quire, arguments.model, core_count())
    alone, beside, shares = [], [], []
    with quire.server(PORT, arguments.streams + 8) as server:
        for _ in range(arguments.rounds):
            for bad_rate in (0, arguments.bad_rate, arguments.bad_rate, 0):
                one, cpu_s = measure(arguments.streams, arguments.seconds, bad_rate, server.process.pid)
                (beside if bad_rate else alone).append(one)
                if not bad_rate:
                    shares.append(cpu_s / one.num_tokens * 500)
                print(f"{'beside bad requests' if bad_rate else 'alone'}: {one.num_tokens / one.elapsed_s:.0f} "
                      f"tokens/s, p99 between tokens {1e3 * percentile(one.gaps, 0.99):.1f} ms", file=sys.stderr)
    report(alone, beside, shares)


if __name__ == "__main__":
    main()
