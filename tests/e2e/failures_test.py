"""What people do wrong, or find wrong: each failure has its exit status, and a message that ends with what to do."""

import os
import pathlib
import re
import socket
import struct
import subprocess
import tempfile
import unittest

from quire_server import BINARY, MODEL, PATIENCE_SECONDS

FAILED, MISUSED = 1, 2
NOBODY = 65534
SEE_HELP = r"'quire[a-z ]*--help' lists what there is\.$"


def gguf(version=3, pairs=(), tensors=()):
    """A small file: keys with texts, and tensors of one value of a type."""

    def text(value):
        return struct.pack("<Q", len(value)) + value.encode()

    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    for key, value in pairs:
        out += text(key) + struct.pack("<I", 8) + text(value)
    for name, dtype in tensors:
        out += text(name) + struct.pack("<IQIQ", 1, 256, dtype, 0)
    return out.ljust(4096, b"\0")


class FailuresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        with open(MODEL, "rb") as model:
            head = model.read(3_000_000)
        for name, content in {
            "empty.gguf": b"",
            "text.gguf": b"This is no model.\n",
            "short.gguf": b"GGUF\x03\0\0\0",
            "cut.gguf": head,
            "old.gguf": gguf(version=1),
            "strange.gguf": head.replace(b"llama", b"strng"),
            "quantized.gguf": gguf(pairs=[("general.architecture", "x")], tensors=[("w", 14)]),
            "unknown-key.yaml": b"host: 127.0.0.1\nmax-num-seq: 3\n",
            "twice.yaml": b"port: 1\nport: 2\n",
            "nested.yaml": b"port:\n  number: 1\n",
            "value.yaml": b"port: 70000\n",
            "large.yaml": b"#" * (1 << 20),
            "secret.gguf": head,
        }.items():
            (cls.folder / name).write_bytes(content)
        os.truncate(cls.folder / "strange.gguf", os.path.getsize(MODEL))  # weights of zero, which take no room
        os.chmod(cls.folder / "secret.gguf", 0)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def fails(self, status, pattern, *arguments, as_nobody=False, **environment):
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody and os.getuid() == 0 else {}
        env = {key: value for key, value in os.environ.items() if key != "QUIRE_API_KEY"} | environment
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, env=env, cwd="/",
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, **options)
        with self.subTest(arguments):
            self.assertEqual(done.returncode, status, done.stderr)
            lines = [line for line in done.stderr.splitlines() if not re.match(r"[IW] \d\d:", line)]
            message = "\n".join(lines)
            self.assertRegex(message, pattern)
            self.assertRegex(message, SEE_HELP if status == MISUSED else r"\Aquire: .*\Z")

    def test_a_command_line_that_cannot_be_understood(self):
        serve = lambda pattern, *arguments: self.fails(MISUSED, pattern, "serve", *arguments)
        self.fails(MISUSED, "unknown command 'sevre'; did you mean serve", "sevre")
        self.fails(MISUSED, "unknown command 'latancy'; did you mean latency", "bench", "latancy")
        self.fails(MISUSED, "one of latency, throughput, serve, .* is required", "bench")
        self.fails(MISUSED, "'powershell' is none of bash, zsh, fish", "completion", "powershell")
        serve("unknown flag --prot; did you mean --port", "--prot", "80")
        serve("--port must be at least 0 and at most 65535, but is 99999", "--port", "99999")
        serve("--port: 'abc' is not a number", "--port", "abc")
        serve("--port: '80.5' is not a whole number", "--port", "80.5")
        serve("--port needs a value", "--port")
        serve("--max-num-seqs must be at least 1 and at most", "--max-num-seqs", "0")
        serve("'3XB' is not a size: write a number of bytes, or one with KiB, MiB or GiB", "--kv-cache-memory", "3XB")
        serve("'fp4' is none of auto, fp32", "--kv-cache-dtype", "fp4")
        serve("'loud' is none of debug, info, warning, error, off", "--log-level", "loud")
        serve("what is 'b.gguf'", "a.gguf", "b.gguf")

    def test_a_configuration_that_cannot_be_used(self):
        def config(pattern, name):
            self.fails(MISUSED, pattern, "serve", "--config", self.folder / name)

        config("cannot open the configuration '.*missing.yaml': No such file", "missing.yaml")
        config("is a folder: name a file of settings", ".")
        config(r"unknown-key.yaml', line 2: unknown key 'max-num-seq'; did you mean max-num-seqs\?", "unknown-key.yaml")
        config("twice.yaml', line 2: 'port' is set twice", "twice.yaml")
        config("nested.yaml', line 2: 'port' is a map: settings are not nested", "nested.yaml")
        config("value.yaml', line 1: --port must be at least 0 and at most 65535", "value.yaml")
        config("large.yaml' has more than 256 KiB", "large.yaml")

    def test_a_model_that_cannot_be_opened(self):
        def model(pattern, name, **how):
            self.fails(FAILED, pattern, "inspect", self.folder / name, **how)

        model(r"cannot open '.*missing.gguf': No such file or directory: is the path right\?", "missing.gguf")
        model("is a directory, not a file: name the model file in it", ".")
        model("is empty: fetch the file again", "empty.gguf")
        model(r"does not begin with 'GGUF' \(a model in another format must be converted first\); fetch", "text.gguf")
        model("short.gguf.*; fetch the file again, or take another", "short.gguf")
        model("cut.gguf.*does not lie in the file.*; fetch the file again, or take another", "cut.gguf")
        model("GGUF version 1; versions 2 and 3 are supported; take another file of the model", "old.gguf")
        model("architecture is 'strng'; this build knows: ", "strange.gguf")
        model("'w' has type .*; supported: F32, .*; take another file of the model", "quantized.gguf")
        model(r"Permission denied: this user may not read it", "secret.gguf", as_nobody=True)

    def test_a_server_that_cannot_start(self):
        def serve(pattern, *flags, **how):
            self.fails(FAILED, pattern, "serve", MODEL, "--port", "0", *flags, **how)

        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.fails(FAILED, f"cannot listen on 127.0.0.1 port {port}: Address already in use; another --port, or 0",
                       "serve", MODEL, "--port", port)
        serve("no address for the host 'no.such.host.invalid'.*--host takes an address of this machine",
              "--host", "no.such.host.invalid")
        serve("cannot listen on 192.0.2.1.*--host takes an address of this machine", "--host", "192.0.2.1")
        serve("of memory are free, but .*: lower --kv-cache-memory, or free some", "--kv-cache-memory", "1000TiB")
        serve("lower --kv-cache-memory", "--kv-cache-memory", "1000TiB", "--dry-run")
        for flags in (["--chat-template", "/nonexistent"], ["--api-key-file", "/nonexistent"], ["--swap-dir", "/nonexistent"],
                      ["--ssl-certfile", "/nonexistent", "--ssl-keyfile", "/nonexistent"]):
            serve("/nonexistent", *flags, "--dry-run")
        serve("the chat template '/nonexistent' cannot be read; --chat-template names a file", "--chat-template", "/nonexistent")
        serve("but the model was made for 8192 tokens: lower --max-model-len", "--max-model-len", "1000000")
        serve("block_size must be 8, 16, 32, 64 or 128, but is 17", "--block-size", "17")
        serve("no swap file can be made in '/nonexistent': No such file or directory; name a folder",
              "--swap-dir", "/nonexistent")
        serve(r"the prefix file '/nonexistent' cannot be read: is the path right\?", "--prefix-file", "/nonexistent")
        serve("--api-key or QUIRE_API_KEY is set, but names no key", "--api-key", "")
        serve("is https, which is not spoken here: write http://HOST:4318", "--otlp-endpoint", "https://collector")
        serve("QUIRE_ISA=mmx: no such instruction set; this CPU has scalar", QUIRE_ISA="mmx")

    def test_a_low_port_is_for_root(self):
        first = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        if not first.exists() or int(first.read_text()) <= 80:
            self.skipTest("this machine gives low ports to everybody")
        self.fails(FAILED, "port 80: Permission denied; ports below 1024 are for root: take another --port",
                   "serve", MODEL, "--port", "80", as_nobody=True)


if __name__ == "__main__":
    unittest.main()
