#!/usr/bin/env python3
"""What somebody who looks at the engine page costs those who wait for tokens.

    bench/viewer.py --rounds 4 --seconds 10

A server with --streams endless streams, in rounds of alone, watched, watched, alone, where watched means that
--viewers connections read /v1/engine/events. Reported: tokens a second and the 99th percentile between tokens, of either.
"""

import argparse
import socket
import statistics
import sys
import threading
import time

from contestants import Quire, core_count
from front import PORT, ROOT, measure, percentile


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="times that either is measured twice (default: 4)")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (default: 10)")
    parser.add_argument("--streams", type=int, default=16, help="streams at once (default: 16)")
    parser.add_argument("--viewers", type=int, default=1, help="viewers at once, at most 4 (default: 1)")
    parser.add_argument("--model", default=str(ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--quire", default=str(ROOT / "build" / "release" / "quire"), help="the binary")
    return parser.parse_args()


class Viewer:
    """Reads views until it is closed."""

    def __init__(self):
        self.num_bytes, self.begun = 0, time.perf_counter()
        self.socket = socket.create_connection(("127.0.0.1", PORT))
        self.socket.sendall(b"GET /v1/engine/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = self.socket.recv(1 << 16)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"no view: {head[:200]}")
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while piece := self.socket.recv(1 << 16):
            self.num_bytes += len(piece)

    def close(self):
        """The bytes a second that were read."""
        rate = self.num_bytes / (time.perf_counter() - self.begun)
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        return rate


def main():
    arguments = parse_arguments()
    quire = Quire("quire", arguments.quire, arguments.model, core_count())
    rates, waits, view_bytes = {False: [], True: []}, {False: [], True: []}, []
    with quire.server(PORT, arguments.streams + 8) as server:
        for watched in [False, True, True, False] * arguments.rounds:
            viewers = [Viewer() for _ in range(arguments.viewers if watched else 0)]
            one, _ = measure(arguments.streams, arguments.seconds, 0, server.process.pid)
            for viewer in viewers:
                view_bytes.append(viewer.close())
            rates[watched].append(one.num_tokens / one.elapsed_s)
            waits[watched].append(percentile(one.gaps, 0.99))
            print(f"{'watched' if watched else 'alone'}: {rates[watched][-1]:.0f} tokens/s, "
                  f"p99 between tokens {1e3 * waits[watched][-1]:.1f} ms", file=sys.stderr)
    rate, wait = ({key: statistics.median(values) for key, values in of.items()} for of in (rates, waits))
    print(f"tokens/s: {rate[False]:.0f} alone, {rate[True]:.0f} watched ({100 * (rate[True] / rate[False] - 1):+.1f}%)")
    print(f"p99 between tokens: {1e3 * wait[False]:.1f} ms alone, {1e3 * wait[True]:.1f} ms watched "
          f"({100 * (wait[True] / wait[False] - 1):+.1f}%)")
    print(f"a viewer read {statistics.median(view_bytes) / 1e3:.1f} kB/s")


if __name__ == "__main__":
    main()
