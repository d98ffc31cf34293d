"""Fetches and builds the engines that Quire is compared with, in a cache folder outside the repository."""

import os
import pathlib
import subprocess
import sys
import tarfile

LLAMA_TARGETS = ["llama-bench", "llama-batched-bench", "llama-quantize", "llama-server"]
LLAMA_OPTIONS = [
    "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DGGML_OPENMP=ON", "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TOOLS=ON", "-DLLAMA_BUILD_SERVER=ON",
]


def default_cache():
    return pathlib.Path(os.environ.get("QUIRE_PEERS", "~/.cache/quire-peers")).expanduser()


class Peers:
    """Where the peers lie. setup() makes whatever is missing; a second call finds all of it there."""

    def __init__(self, cache):
        self.cache = pathlib.Path(cache)
        self.llama_bin = self.cache / "llama.cpp-build" / "bin"
        self.openvino_python = self.cache / "openvino" / "bin" / "python"

    def llama(self, tool):
        return str(self.llama_bin / tool)

    def setup(self):
        self.cache.mkdir(parents=True, exist_ok=True)
        if not self._openvino_works():
            self._run("openvino.log", sys.executable, "-m", "venv", self.cache / "openvino")
            self._run("openvino.log", self.openvino_python, "-m", "pip", "install", "openvino-genai")
        if not all((self.llama_bin / target).exists() for target in LLAMA_TARGETS):
            self._build_llama(self._fetch_llama())

    def pure_q4_0(self, model):
        """A file with every matrix in Q4_0, requantized from `model`."""
        pure = self.cache / (pathlib.Path(model).name.split(".")[0] + ".Q4_0-pure.gguf")
        if not pure.exists():
            unfinished = pure.with_suffix(".part")
            self._run("quantize.log", self.llama("llama-quantize"), "--pure", "--allow-requantize", model,
                      unfinished, "Q4_0")
            unfinished.rename(pure)
        return str(pure)

    def _openvino_works(self):
        if not self.openvino_python.exists():
            return False
        check = subprocess.run([self.openvino_python, "-c", "import openvino_genai"], capture_output=True)
        return check.returncode == 0

    def _fetch_llama(self):
        """The sources of llama.cpp inside the source package of llama-cpp-python."""
        sources = self.cache / "sdist"
        sources.mkdir(exist_ok=True)
        if not list(sources.glob("llama_cpp_python-*.tar.gz")):
            self._run("download.log", sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary",
                      "llama-cpp-python", "llama-cpp-python", "-d", sources)
        archive = max(sources.glob("llama_cpp_python-*.tar.gz"))
        unpacked = sources / archive.name.removesuffix(".tar.gz")
        if not unpacked.exists():
            with tarfile.open(archive) as tar:
                tar.extractall(sources, filter="data")
        return unpacked / "vendor" / "llama.cpp"

    def _build_llama(self, source):
        build = self.llama_bin.parent
        self._run("build.log", "cmake", "-S", source, "-B", build, "-G", "Ninja", *LLAMA_OPTIONS)
        self._run("build.log", "ninja", "-C", build, *LLAMA_TARGETS)

    def _run(self, log, *command):
        """Runs a long command with its output in a log file of the cache."""
        command = [str(word) for word in command]
        print("+", " ".join(command), f"(log: {self.cache / log})", file=sys.stderr, flush=True)
        with open(self.cache / log, "ab") as output:
            subprocess.run(command, check=True, stdout=output, stderr=subprocess.STDOUT)
