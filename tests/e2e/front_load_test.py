"""Many clients at once: connections that idle, streams that are left at any moment. What they cost must come back.
All of it in the clear, and by HTTPS."""

import json
import os
import pathlib
import random
import resource
import selectors
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from quire_server import PATIENCE_SECONDS, QuireServer
from tls_test import make_certificate, trusting

NUM_IDLE = 1000
NUM_STREAMS = 64
NUM_TOKENS = 32
NUM_ABORTED = 500 if os.environ.get("QUIRE_LONG") else 170  # six times
ROUNDS, WARM_ROUNDS = 6, 2
MAX_PIECES_LEFT = 100  # of memory, by all of them: less than one for six streams
MAX_BYTES_LEFT = 1 << 18  # some buffers breathe
BYTES_LEFT_A_STREAM = 2000  # of resident memory, where the allocator's free pieces are scattered
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # how one begins
FLAGS = ("--max-model-len", "1024", "--no-enable-prefix-caching", "--no-log-requests")


LIBRARIES = tempfile.TemporaryDirectory()
LIVE_ALLOCATIONS = pathlib.Path(LIBRARIES.name, "live_allocations.so")


def setUpModule():
    source = pathlib.Path(__file__).with_name("live_allocations.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source, "-o", LIVE_ALLOCATIONS],
                   check=True, timeout=PATIENCE_SECONDS)
    unittest.addModuleCleanup(LIBRARIES.cleanup)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stream_request(number, max_tokens):
    body = json.dumps(
        {
            "prompt": f"{number}: once upon a time",
            "max_tokens": max_tokens,
            "ignore_eos": True,
            "stream": True,
            "temperature": 0.0,
        }
    ).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def connect(server):
    plain = socket.create_connection(server.address, timeout=PATIENCE_SECONDS)
    return server.trust.wrap_socket(plain, server_hostname="127.0.0.1") if server.trust else plain


class Watched(QuireServer):
    """A server whose memory and descriptors are looked at."""

    def __init__(self, *flags, trust=None):
        self.counts = pathlib.Path(LIBRARIES.name, f"{time.monotonic_ns()}.counts")
        counted = {"LD_PRELOAD": str(LIVE_ALLOCATIONS), "LIVE_ALLOCATIONS": str(self.counts)}
        super().__init__(*FLAGS, *flags, trust=trust, env=counted)
        self.proc = pathlib.Path("/proc") / str(self.process.pid)

    @property
    def resident_bytes(self):
        return int((self.proc / "statm").read_text().split()[1]) * resource.getpagesize()

    @property
    def live_allocations(self):
        """Bytes and pieces of memory that it has allocated and not freed."""
        return struct.unpack("qq", self.counts.read_bytes())

    @property
    def num_descriptors(self):
        return len(list((self.proc / "fd").iterdir()))

    def wait_for_descriptors(self, count):
        """Until no more than so many are open, and the one that asks for metrics."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.num_descriptors > count + 1:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.num_descriptors} descriptors are open, {count} were")
            self.metric("vllm:num_requests_running")


def read_all(sockets):
    """What every one of them sends until its answer ends."""
    answers = {stream: b"" for stream in sockets}
    with selectors.DefaultSelector() as selector:
        for stream in sockets:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise AssertionError(f"{len(selector.get_map())} streams stand still")
            for key, _ in ready:
                piece = key.fileobj.recv(1 << 16)
                answers[key.fileobj] += piece
                if not piece or b"[DONE]" in answers[key.fileobj][-64:]:
                    selector.unregister(key.fileobj)
    return list(answers.values())


def run_streams(server):
    sockets = [connect(server) for _ in range(NUM_STREAMS)]
    try:
        for number, stream in enumerate(sockets):
            stream.sendall(stream_request(number, NUM_TOKENS))
        return read_all(sockets)
    finally:
        for stream in sockets:
            stream.close()


class FrontLoadTest(unittest.TestCase):
    max_idle_bytes = 60e6

    def serve(self):
        return Watched()

    def test_idle_connections_cost_little_and_disturb_nobody(self):
        with self.serve() as server:
            alone = run_streams(server)  # the KV blocks that streams touch are resident from now on
            server.wait_for_baseline()
            before = server.resident_bytes
            idle = [connect(server) for _ in range(NUM_IDLE)]
            for connection in idle:
                connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for connection in idle:
                self.assertIn(b"200 OK", connection.recv(1 << 12))
            beside = run_streams(server)
            cost = server.resident_bytes - before
            self.assertEqual([tokens_of(answer) for answer in beside], [tokens_of(answer) for answer in alone])
            self.assertLess(cost, self.max_idle_bytes)
            for connection in idle:  # they are still of use
                connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for connection in idle:
                self.assertIn(b"200 OK", connection.recv(1 << 12))
                connection.close()
            print(f"{NUM_IDLE} idle connections: {cost / 1e6:.1f} MB")

    def test_streams_left_at_random_leave_nothing_behind(self):
        with self.serve() as server:
            run_streams(server)
            descriptors = server.num_descriptors
            counts, sizes = [], []
            for _ in range(ROUNDS):  # the same streams, of which the first times take what is kept for good
                leave_streams(server, random.Random(1), NUM_ABORTED)
                server.wait_for_baseline()
                server.wait_for_descriptors(descriptors)
                counts.append(server.live_allocations)
                sizes.append(server.resident_bytes)
            print(f"{NUM_ABORTED} streams left, {ROUNDS} times:", *(f"{size / 1e6:.2f}" for size in sizes), "MB;",
                  "bytes and pieces allocated:", *counts)
            most_bytes, most_pieces = (max(column[:WARM_ROUNDS]) for column in zip(*counts))
            self.assertLess(counts[-1][0], most_bytes + MAX_BYTES_LEFT)
            self.assertLess(counts[-1][1], most_pieces + MAX_PIECES_LEFT)
            self.assertLess(sizes[-1] - sizes[-2], BYTES_LEFT_A_STREAM * NUM_ABORTED)
            self.assertEqual(len(run_streams(server)), NUM_STREAMS)


class SecureFrontLoadTest(FrontLoadTest):
    max_idle_bytes = 90e6

    def serve(self):
        with tempfile.TemporaryDirectory() as folder:  # the server has read them when it serves
            certificate, key = make_certificate(folder)
            flags = ("--ssl-certfile", certificate, "--ssl-keyfile", key)
            return Watched(*flags, trust=trusting(certificate))


def tokens_of(answer):
    """The text that a stream brought."""
    if b"[DONE]" not in answer:
        raise AssertionError(f"a stream ended with {answer[-200:]}")
    text = ""
    for line in answer.decode().splitlines():
        if line.startswith("data: {"):
            text += "".join(choice["text"] for choice in json.loads(line[len("data: ") :])["choices"])
    return text


def leave_streams(server, rng, count):
    """Streams of which at most NUM_STREAMS are open at a time, each left after as many bytes as chance says."""
    open_streams = {}
    with selectors.DefaultSelector() as selector:
        started = 0
        while started < count or open_streams:
            while started < count and len(open_streams) < NUM_STREAMS:
                if server.trust and rng.random() < 0.1:  # in the middle of the handshake
                    with socket.create_connection(server.address, PATIENCE_SECONDS) as plain:
                        plain.sendall(CLIENT_HELLO[: rng.randrange(1, len(CLIENT_HELLO))])
                    started += 1
                    continue
                stream = connect(server)
                request = stream_request(started, 400)
                started += 1
                if rng.random() < 0.1:  # in the middle of its own request
                    stream.sendall(request[: rng.randrange(len(request))])
                    stream.close()
                    continue
                stream.sendall(request)
                if rng.random() < 0.1:  # before anything has come
                    stream.close()
                    continue
                if rng.random() < 0.5:  # it will end with a RST
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                open_streams[stream] = rng.randrange(1, 6000)
                selector.register(stream, selectors.EVENT_READ)
            if not open_streams:
                continue
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise AssertionError(f"{len(open_streams)} streams stand still")
            for key, _ in ready:
                piece = key.fileobj.recv(1 << 16)  # a whole TLS record, lest the rest wait unseen
                open_streams[key.fileobj] -= len(piece)
                if not piece or open_streams[key.fileobj] <= 0:
                    selector.unregister(key.fileobj)
                    del open_streams[key.fileobj]
                    key.fileobj.close()


if __name__ == "__main__":
    unittest.main()
