"""Models of random weights, as people who measure larger shapes make and use them."""

import pathlib
import subprocess
import tempfile
import unittest

from quire_server import BINARY


class RandomModel(unittest.TestCase):
    def quire(self, *arguments, code=0):
        result = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def test_a_model_that_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            model = str(pathlib.Path(folder) / "random.gguf")
            self.quire("bench", "random-model", model, "--shape", "llama-135m")
            self.assertIn("llama", self.quire("inspect", model).stdout)
            report = self.quire("bench", "latency", "--model", model, "--batch-size", "2", "--input-len", "8",
                                "--output-len", "4", "--iterations", "1").stdout
            self.assertIn("Decode", report)

    def test_an_unknown_shape_names_the_others(self):
        errors = self.quire("bench", "random-model", "/tmp/never.gguf", "--shape", "llama-2b", code=2).stderr
        self.assertIn("llama-1b", errors)


if __name__ == "__main__":
    unittest.main()
