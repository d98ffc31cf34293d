"""One measurement of OpenVINO GenAI, run by peers.py inside the peer's own virtual environment.

Drives ContinuousBatchingPipeline step by step, so that prefill and decode can be told apart. Prints one JSON object.
"""

import argparse
import json
import random
import time

START = time.monotonic()

import numpy
import openvino
import openvino_genai


def open_pipeline(model, threads, batched_tokens):
    config = openvino_genai.SchedulerConfig()
    config.max_num_batched_tokens = batched_tokens
    config.max_num_seqs = 256
    config.cache_size = 2
    config.enable_prefix_caching = False
    return openvino_genai.ContinuousBatchingPipeline(model, config, "CPU", {"INFERENCE_NUM_THREADS": threads})


class Batch:
    """Equal requests of random tokens, and how far they are."""

    next_id = 0

    def __init__(self, pipeline, rng, size, input_len, output_len):
        generation = openvino_genai.GenerationConfig()
        generation.max_new_tokens = output_len
        generation.ignore_eos = True
        generation.do_sample = False
        self.pipeline = pipeline
        self.handles = []
        for _ in range(size):
            ids = numpy.array([[rng.randrange(100, 30000) for _ in range(input_len)]], dtype=numpy.int64)
            self.handles.append(pipeline.add_request(Batch.next_id, openvino.Tensor(ids), generation))
            Batch.next_id += 1
        self.tokens = [0] * size

    def step(self):
        self.pipeline.step()
        for index, handle in enumerate(self.handles):
            while handle.can_read():
                self.tokens[index] += sum(len(output.generated_ids) for output in handle.read().values())


def measure(pipeline, rng, batch_size, input_len, output_len):
    """Prefill and decode rates in tokens a second; decode is counted while every request decodes."""
    batch = Batch(pipeline, rng, batch_size, input_len, output_len)
    start = time.monotonic()
    while min(batch.tokens) == 0:
        batch.step()
    started, tokens = time.monotonic(), sum(batch.tokens)
    while max(batch.tokens) < output_len:
        batch.step()
    ended, decoded = time.monotonic(), sum(batch.tokens) - tokens
    while pipeline.has_non_finished_requests():
        batch.step()
    prefill = batch_size * input_len / (started - start)
    return prefill, decoded / (ended - started) if decoded else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--input-len", type=int, default=128)
    parser.add_argument("--output-len", type=int, default=128)
    parser.add_argument("--iterations", type=int, default=1)
    arguments = parser.parse_args()

    batched_tokens = max(2048, arguments.batch_size * arguments.input_len)
    pipeline = open_pipeline(arguments.model, arguments.threads, batched_tokens)
    ready_s = time.monotonic() - START
    rng = random.Random(time.time_ns())
    shape = (arguments.batch_size, arguments.input_len)
    measure(pipeline, rng, *shape, min(8, arguments.output_len))
    runs = [measure(pipeline, rng, *shape, arguments.output_len) for _ in range(arguments.iterations)]
    decodes = sorted(decode for _, decode in runs if decode)
    print(json.dumps({
        "prefill_tokens_per_s": sorted(prefill for prefill, _ in runs)[len(runs) // 2],
        "decode_tokens_per_s": decodes[len(decodes) // 2] if decodes else None,
        "ready_s": ready_s,
    }))


if __name__ == "__main__":
    main()
