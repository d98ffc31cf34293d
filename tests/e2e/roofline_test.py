"""`quire bench roofline` as an operator runs it: the machine's figures, and a picture of them."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from quire_server import BINARY


class Roofline(unittest.TestCase):
    def run_roofline(self, *arguments):
        environment = dict(os.environ, PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
        return subprocess.run([BINARY, "bench", "roofline", *arguments], env=environment, capture_output=True, text=True,
                              timeout=300, check=True)

    def test_the_machine_alone(self):
        report = json.loads(self.run_roofline("--machine", "--threads", "1", "--json", "-").stdout)
        self.assertEqual(report["threads"], 1)
        self.assertGreater(report["bandwidth_gbs"], 0)
        self.assertTrue(all(peak["gops"] > 0 for peak in report["peaks"]))

    def test_a_picture(self):
        with tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder) / "roofline.png"
            self.run_roofline("--no-kernels", "--no-model", "--plot", str(picture))
            self.assertEqual(picture.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    unittest.main()
