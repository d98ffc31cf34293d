"""`quire bench paper` as an operator runs it: what is simulated, in a file and in figures."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from quire_server import BINARY

KEYS = ("waste_pct", "rate_vs_reserve_max", "rate_vs_reserve_pow2", "rate_vs_reserve_oracle", "parallel_saved_pct",
        "beam_saved_pct", "shared_prefix_speedup")
FIGURES = ("latency-sharegpt-n-1-", "latency-sharegpt-n-6-", "latency-alpaca-beams-4-", "latency-translation-prefix-of-80-",
           "latency-translation-prefix-of-341-", "latency-chat-", "memory-sharegpt-", "memory-alpaca-", "sharing",
           "block-size-sharegpt-", "block-size-alpaca-", "recovery-")


class Paper(unittest.TestCase):
    def test_what_is_simulated(self):
        environment = dict(os.environ, PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([BINARY, "bench", "paper", "--quick", "--no-measured", "--output", folder], env=environment,
                           capture_output=True, timeout=300, check=True)
            files = {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
        results = json.loads(files["results.json"])
        for key in KEYS:
            self.assertGreater(results[key], 0, key)
            self.assertIn(key, results["workloads"])
        for figure in FIGURES:
            found = [name for name in files if name.startswith(figure)]
            self.assertTrue(found, figure)
            self.assertEqual(files[found[0]][:8], b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    unittest.main()
