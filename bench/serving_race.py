"""The same requests, at the same random times, to two servers: which rate does each sustain at a given latency?

Sustained means: the median over requests of end-to-end time divided by output tokens stays under a target. The rate
goes up a ladder, the servers taking turns at each step of it; between two steps the rate at the target is interpolated.
"""

import json
import math
import pathlib
import sys
import tempfile

from contestants import Failed, run_process

RATES = [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0]
TARGETS_MS = [50, 100, 200]
PORT = 8391


def drive(binary, contestant, rate, seconds, slots, seed):
    """Figures of `quire bench serve` against a fresh server of `contestant`."""
    prompts = max(40, round(rate * seconds))
    with tempfile.TemporaryDirectory() as folder, contestant.server(PORT, slots) as server:
        command = [binary, "bench", "serve", "--port", PORT, "--request-rate", rate, "--num-prompts", prompts,
                   "--ignore-eos", "--seed", seed, "--extra-body", json.dumps(contestant.extra_body),
                   "--save-result", "--result-dir", folder, "--result-filename", "result.json"]
        run_process(command)
        result = json.loads((pathlib.Path(folder) / "result.json").read_text())
        server_ready_s = server.ready_s
    if result["failed"]:
        raise Failed(f"{contestant.name}: {result['failed']} of {prompts} requests failed at {rate}/s")
    return {**result, "ready_s": server_ready_s, "server_peak_memory_bytes": server.peak_memory_bytes}


def rate_at(points, target_ms):
    """Where the curve of (rate, latency) points reaches the target, on logarithmic scales; None outside of it."""
    for (low_rate, low), (high_rate, high) in zip(points, points[1:]):
        if low <= target_ms < high:
            share = (math.log(target_ms) - math.log(low)) / (math.log(high) - math.log(low))
            return math.exp(math.log(low_rate) + share * (math.log(high_rate) - math.log(low_rate)))
    return None


def race(binary, contestants, seconds, slots, rates):
    """The points of each contestant's curve, and the rate it sustains at each target."""
    curves = {contestant.name: [] for contestant in contestants}
    for step, rate in enumerate(rates):
        for contestant in contestants:
            curve = curves[contestant.name]
            if curve and curve[-1]["median_normalized_latency_ms"] > 2 * max(TARGETS_MS):
                continue  # past every target already
            point = drive(binary, contestant, rate, seconds, slots, seed=step)
            curve.append(point)
            waste = point.get("kv_waste_percent")
            print(f"serve {rate:5.2f}/s  {contestant.name:16} p50 normalized latency "
                  f"{point['median_normalized_latency_ms']:8.1f} ms, p50 ttft {point['median_ttft_ms']:8.1f} ms"
                  + (f", {waste:.2f}% of KV slots empty" if waste is not None else ""),
                  file=sys.stderr, flush=True)
    sustained = {}
    for target in TARGETS_MS:
        sustained[f"requests_per_s_at_{target}ms"] = {
            name: rate_at([(p["request_rate"], p["median_normalized_latency_ms"]) for p in curve], target)
            for name, curve in curves.items()}
    return curves, sustained
