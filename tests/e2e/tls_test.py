"""HTTPS with a certificate of openssl's: the official client, streams, clients that leave or speak something else."""

import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

import openai

from quire_server import BINARY, MODEL, PATIENCE_SECONDS, QuireServer

MESSAGES = [{"role": "user", "content": "Tell me a long story."}]


def make_certificate(folder, name="server", password=None):
    """Paths of a new certificate for 127.0.0.1, signed by itself, and of its key."""
    certificate, key = pathlib.Path(folder, f"{name}.pem"), pathlib.Path(folder, f"{name}.key")
    secret = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2", "-subj",
         f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate, *secret],
        check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    return str(certificate), str(key)


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate)


def chat(client, **options):
    options.setdefault("max_tokens", 16)
    return client.chat.completions.create(model="", messages=MESSAGES, extra_body={"ignore_eos": True}, **options)


class TlsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.certificate, self.key = make_certificate(self.folder)

    def serve(self, *flags, **options):
        return QuireServer("--ssl-certfile", self.certificate, "--ssl-keyfile", self.key, *flags,
                           trust=trusting(self.certificate), **options)

    def test_the_official_client_verifies_and_streams(self):
        with self.serve() as server, server.client() as client:
            self.assertTrue(server.url.startswith("https://127.0.0.1:"))
            whole = chat(client, temperature=0, max_tokens=48).choices[0].message.content
            chunks = list(chat(client, temperature=0, max_tokens=48, stream=True))
            self.assertEqual("".join(chunk.choices[0].delta.content or "" for chunk in chunks), whole)
            self.assertEqual(chunks[-1].choices[0].finish_reason, "length")
            prompt = "word " * 30_000  # more than any buffer on the way
            with self.assertRaises(openai.BadRequestError):
                client.completions.create(model="", prompt=prompt)
            stranger = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)
            with stranger, self.assertRaises(openai.APIConnectionError):
                stranger.models.list()
            self.assertTrue(client.models.list().data)

    def test_leaving_frees_the_blocks(self):
        with self.serve() as server, server.client() as client:
            for _ in range(3):
                stream = chat(client, stream=True, max_tokens=4000, n=2)
                next(iter(stream))
                stream.close()
                server.wait_for_baseline()
            body = b'{"prompt": "Once upon a time", "max_tokens": 4000, "ignore_eos": true}'
            head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
            with socket.create_connection(server.address, PATIENCE_SECONDS) as plain:
                with server.trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                    connection.sendall(head + body)
                    server.wait_for_metric("vllm:num_requests_running", lambda value: value == 1)
            server.wait_for_baseline()

    def test_who_speaks_something_else_is_told_or_left(self):
        with self.serve("--header-timeout", "0.5") as server, server.client() as client:
            with socket.create_connection(server.address, PATIENCE_SECONDS) as plain:
                plain.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b"".join(iter(lambda: plain.recv(4096), b""))
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertIn(b"https://", answer)
            for half in (b"\x16\x03\x01", b"\x00" * 64, b""):  # the middle of a handshake, noise, and silence
                with socket.create_connection(server.address, PATIENCE_SECONDS) as connection:
                    connection.sendall(half)
                    while connection.recv(4096):
                        pass
            self.assertTrue(client.models.list().data)

    def test_versions_before_1_2_are_refused(self):
        with self.serve() as server:
            for version, accepted in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
                done = subprocess.run(
                    ["openssl", "s_client", "-connect", "{}:{}".format(*server.address), version, "-CAfile",
                     self.certificate, "-cipher", "ALL:@SECLEVEL=0"],
                    input="", capture_output=True, text=True, timeout=PATIENCE_SECONDS)
                self.assertEqual("Verify return code: 0 (ok)" in done.stdout and done.returncode == 0, accepted,
                                 done.stdout)

    def test_sighup_reads_the_certificate_again(self):
        with self.serve() as server, server.client() as client:
            stream = iter(chat(client, stream=True, max_tokens=200))
            next(stream)
            second, key = make_certificate(self.folder, "second")
            pathlib.Path(second).replace(self.certificate)
            server.process.send_signal(signal.SIGHUP)  # the key is another's: nothing changes
            server.wait_for_log("the certificates stay as they were")
            with server.client() as another:
                self.assertTrue(another.models.list().data)
            pathlib.Path(key).replace(self.key)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_log(f"read the certificates in {self.certificate} again")
            with server.client() as old, self.assertRaises(openai.APIConnectionError):
                old.models.list()
            server.trust = trusting(self.certificate)
            with server.client() as new:
                self.assertTrue(new.models.list().data)
            self.assertEqual(list(stream)[-1].choices[0].finish_reason, "length")

    def test_sigterm_lets_what_runs_finish(self):
        with self.serve() as server, server.client() as client:
            stream = iter(chat(client, stream=True, max_tokens=100))
            next(stream)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(list(stream)[-1].choices[0].finish_reason, "length")
            self.assertEqual(server.wait(), 0)

    def test_an_encrypted_key_takes_its_password_from_the_environment(self):
        self.certificate, self.key = make_certificate(self.folder, "encrypted", "open sesame")
        with self.serve(env={"QUIRE_SSL_KEYFILE_PASSWORD": "open sesame"}) as server, server.client() as client:
            self.assertTrue(client.models.list().data)

    def test_files_of_no_use_end_the_start_and_are_named(self):
        other_certificate, _ = make_certificate(self.folder, "other")
        missing = str(pathlib.Path(self.folder, "missing.pem"))
        encrypted, encrypted_key = make_certificate(self.folder, "encrypted", "secret")
        for flags, words in (
            (("--ssl-certfile", missing, "--ssl-keyfile", self.key), (missing, "No such file")),
            (("--ssl-certfile", self.certificate, "--ssl-keyfile", missing), (missing, "No such file")),
            (("--ssl-certfile", other_certificate, "--ssl-keyfile", self.key), (self.key, "does not belong")),
            (("--ssl-certfile", encrypted, "--ssl-keyfile", encrypted_key), (encrypted_key, "is encrypted")),
            (("--ssl-certfile", self.certificate), ("ssl", "go together")),
        ):
            done = subprocess.run([BINARY, "serve", MODEL, "--port", "0", *flags], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)
            self.assertNotEqual(done.returncode, 0)
            for word in words:
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main()
