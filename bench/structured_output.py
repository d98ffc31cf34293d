#!/usr/bin/env python3
"""What structured output costs: tokens a second with and without a grammar, of the same prompts and numbers of tokens.

    bench/structured_output.py --rounds 6

One server, --streams requests at once. Each round measures without, with, with and without a grammar (ABBA), so that what
drifts falls on both. Reported: the median of either and their ratio.
"""

import argparse
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Never done within --tokens, so that both kinds generate as many.
SCHEMA = {"type": "array", "minItems": 1000, "maxItems": 1000, "items": {
    "type": "object", "required": ["name", "age", "tags"], "additionalProperties": False, "properties": {
        "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1}}}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6, help="ABBA rounds (default: 6)")
    parser.add_argument("--streams", type=int, default=16, help="requests at once (default: 16)")
    parser.add_argument("--tokens", type=int, default=96, help="that each generates (default: 96)")
    parser.add_argument("--model", default=str(ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--quire", default=str(ROOT / "build" / "release" / "quire"), help="the binary")
    return parser.parse_args()


def generate(port, seed, tokens, constrained, counts):
    body = {"prompt": f"People, as JSON ({seed}):\n", "max_tokens": tokens, "seed": seed, "temperature": 1}
    body |= {"structured_outputs": {"json": SCHEMA}} if constrained else {"ignore_eos": True}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    counts.append(json.load(connection.getresponse())["usage"]["completion_tokens"])


def measure(port, options, constrained):
    counts = []
    threads = [threading.Thread(target=generate, args=(port, seed, options.tokens, constrained, counts))
               for seed in range(options.streams)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    assert counts == [options.tokens] * options.streams, counts
    return sum(counts) / took


def main():
    options = parse_arguments()
    server = subprocess.Popen([options.quire, "serve", options.model, "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(line.rsplit(":", 1)[1]) for line in server.stderr if "serving" in line and "http://" in line)
        threading.Thread(target=server.stderr.read, daemon=True).start()
        for constrained in (False, True):  # compiles, and fills caches
            measure(port, options, constrained)
        rates = {False: [], True: []}
        for number in range(options.rounds):
            for constrained in (False, True, True, False):
                rates[constrained].append(measure(port, options, constrained))
            print(f"round {number + 1}: without {rates[False][-2]:.0f} {rates[False][-1]:.0f}, "
                  f"with {rates[True][-2]:.0f} {rates[True][-1]:.0f} tokens/s", file=sys.stderr)
        without, constrained = (statistics.median(rates[kind]) for kind in (False, True))
        print(f"without {without:.1f} tokens/s, with {constrained:.1f} tokens/s: ratio {constrained / without:.3f} "
              f"({options.streams} streams of {options.tokens} tokens, {options.rounds} rounds)")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
