#!/usr/bin/env python3
"""Races Quire against its peers on this machine, on the same files, interleaved, and reports medians.

    bench/peers.py --setup          # fetch and build the peers once (about 15 minutes on two cores)
    bench/peers.py --json out.json  # measure everything: five rounds, and the race over HTTP
    bench/peers.py --quick --only decode_x1,prefill_512

The peers are OpenVINO GenAI (from PyPI) and llama.cpp (from the sources in llama-cpp-python). They live in a cache
folder outside the repository: --cache, or QUIRE_PEERS, or ~/.cache/quire-peers. Prompts are random tokens, new ones
for every run; end-of-sequence is ignored; all engines get the same number of threads.

Decode xB is tokens a second of B equal sequences after 128 prompt tokens, over 128 new ones, prefill not counted.
"""

import argparse
import json
import pathlib
import statistics
import sys

from contestants import Failed, LlamaCpp, OpenVino, Quire, core_count, json_lines, run_process
from peer_setup import Peers, default_cache
from serving_race import RATES as SERVING_RATES, race

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_MODEL = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"

# name: (batch size, tokens in, tokens out, key of the figure)
RATES = {
    "prefill_512": (1, 512, 1, "prefill_tokens_per_s"),
    "decode_x1": (1, 128, 128, "decode_tokens_per_s"),
    "decode_x4": (4, 128, 128, "decode_tokens_per_s"),
    "decode_x16": (16, 128, 128, "decode_tokens_per_s"),
    "decode_x32": (32, 128, 128, "decode_tokens_per_s"),
}
SERVED = ["time_to_ready_s", "serve"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true", help="only fetch and build the peers")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--iterations", type=int, default=2, help="runs in each process (default: 2)")
    parser.add_argument("--only", default="", help="measurements, by commas: " + ", ".join([*RATES, *SERVED]))
    parser.add_argument("--skip-peers", action="store_true", help="measure Quire alone")
    parser.add_argument("--skip-quire", action="store_true", help="measure the peers alone")
    parser.add_argument("--quick", action="store_true", help="one round, one run in each, a short race")
    parser.add_argument("--serve-seconds", type=float, default=60, help="load at each rate (default: 60)")
    parser.add_argument("--request-rates", default=",".join(map(str, SERVING_RATES)),
                        help="ladder of requests a second, by commas (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=32, help="sequences a server may run at once (default: 32)")
    parser.add_argument("--threads", type=int, default=core_count(), help="for every engine (default: all cores)")
    parser.add_argument("--model", default=str(DEFAULT_MODEL), help="a Q4_1 GGUF file (default: the default model)")
    parser.add_argument("--one-file", action="store_true", help="all engines on --model alone, whatever its type")
    parser.add_argument("--quire", default=str(ROOT / "build" / "release" / "quire"), help="the binary to race")
    parser.add_argument("--cache", default=str(default_cache()), help="folder of the peers")
    parser.add_argument("--json", default="", help="write the medians to this file")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.iterations, arguments.serve_seconds = 1, 1, 20
    wanted = set(filter(None, arguments.only.split(","))) or {*RATES, *SERVED}
    if unknown := wanted - {*RATES, *SERVED}:
        parser.error(f"--only knows no {', '.join(sorted(unknown))}")
    arguments.request_rates = sorted(float(rate) for rate in arguments.request_rates.split(","))
    return arguments, wanted


def make_contestants(arguments, peers):
    model, threads = arguments.model, arguments.threads
    if arguments.one_file:
        return [Quire("quire", arguments.quire, model, threads), LlamaCpp("llama.cpp", peers, model, threads),
                OpenVino("openvino", peers, model, threads)]
    pure = peers.pure_q4_0(model)
    contestants = []
    if not arguments.skip_quire:
        contestants += [Quire("quire-q4_1", arguments.quire, model, threads),
                        Quire("quire-q4_0", arguments.quire, pure, threads)]
    if not arguments.skip_peers:
        contestants += [LlamaCpp("llama.cpp-q4_1", peers, model, threads),
                        LlamaCpp("llama.cpp-q4_0", peers, pure, threads),
                        OpenVino("openvino-q4_1", peers, model, threads)]
    return contestants


def read_bandwidth(arguments):
    output, _ = run_process([arguments.quire, "bench", "roofline", "--machine", "--threads", arguments.threads, "--json", "-"])
    return json_lines(output)[0]["bandwidth_gbs"]


class Samples:
    """Every figure of every round: measurement -> contestant -> list."""

    def __init__(self):
        self.values = {}

    def add(self, measurement, contestant, value):
        if value is not None:
            self.values.setdefault(measurement, {}).setdefault(contestant, []).append(value)

    def medians(self):
        return {measurement: {name: statistics.median(values) for name, values in row.items()}
                for measurement, row in self.values.items()}


def measure_rates(arguments, contestants, wanted, samples):
    """Every round visits every measurement, and there every contestant, starting with another one each time."""
    for turn in range(arguments.rounds):
        for measurement, (batch, tokens_in, tokens_out, key) in RATES.items():
            if measurement not in wanted:
                continue
            if not arguments.skip_quire:
                samples.add(measurement, "bandwidth_gbs", read_bandwidth(arguments))
            first = turn % len(contestants)
            for contestant in contestants[first:] + contestants[:first]:
                figures = contestant.measure(batch, tokens_in, tokens_out, arguments.iterations)
                samples.add(measurement, contestant.name, figures[key])
                if measurement == "decode_x32":
                    samples.add("peak_memory_mib", contestant.name, figures["peak_memory_bytes"] / 2**20)
                if isinstance(contestant, OpenVino) and "time_to_ready_s" in wanted:
                    samples.add("time_to_ready_s", contestant.name, figures["ready_s"])
                print(f"round {turn + 1}  {measurement:12} {contestant.name:16} {figures[key]:10.1f} tokens/s",
                      file=sys.stderr, flush=True)


def measure_ready(arguments, contestants, samples):
    servers = [contestant for contestant in contestants if hasattr(contestant, "server")]
    for _ in range(arguments.rounds):
        for contestant in servers:
            with contestant.server(8392, arguments.slots) as server:
                samples.add("time_to_ready_s", contestant.name, server.ready_s)


def print_table(medians, names):
    print(f"\n{'median':32}" + "".join(f"{name:>16}" for name in names))
    for measurement, row in medians.items():
        cells = "".join(f"{row[name]:16.2f}" if row.get(name) is not None else f"{'-':>16}" for name in names)
        print(f"{measurement:32}{cells}")
        quire = row.get("quire-q4_1", row.get("quire"))
        if quire and len(names) > 1:
            ratios = "".join(f"{quire / row[name]:16.2f}" if row.get(name) else f"{'-':>16}" for name in names)
            print(f"{'  quire / it':32}{ratios}")


def main():
    arguments, wanted = parse_arguments()
    peers = Peers(arguments.cache)
    if arguments.setup or not arguments.skip_peers:
        peers.setup()
    if arguments.setup:
        return 0
    contestants = make_contestants(arguments, peers)
    samples = Samples()
    measure_rates(arguments, contestants, wanted, samples)
    if "time_to_ready_s" in wanted:
        measure_ready(arguments, contestants, samples)
    medians = samples.medians()
    if "serve" in wanted:
        racers = [c for c in contestants if c.name in ("quire-q4_1", "llama.cpp-q4_1", "quire", "llama.cpp")]
        curves, sustained = race(arguments.quire, racers, arguments.serve_seconds, arguments.slots,
                                 arguments.request_rates)
        medians.update(sustained)
    print_table(medians, [contestant.name for contestant in contestants])
    if "serve" in wanted:
        medians["serve_curves"] = curves
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(medians, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"peers.py: {failure}")
