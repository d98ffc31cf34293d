"""Every row of bad_inputs.py and bad_bytes.py against one server: the error is as expected, the server goes on, and a
stream beside is what it would have been without them."""

import http.client
import json
import socket
import threading
import unittest

import bad_bytes
import bad_inputs
from quire_server import PATIENCE_SECONDS, ServedTest

FLAGS = ("--max-model-len", "512", "--max-num-seqs", "8", "--max-body-bytes", "4MiB")
STREAM = {"prompt": "Once upon a time", "max_tokens": 160, "temperature": 0, "ignore_eos": True}


def collect_names(value, names):
    if isinstance(value, dict):
        names.update(value)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        collect_names(item, names)


class BadInputTest(ServedTest):
    flags = FLAGS

    def connect(self):
        return http.client.HTTPConnection(*self.server.address, timeout=PATIENCE_SECONDS)

    def check_error(self, name, path, status, body, expected_status, part):
        self.assertEqual(status, expected_status, f"{name}: {body[:300]}")
        answer = json.loads(body)
        error = answer["error"]
        self.assertTrue(error["message"], name)
        self.assertIn(part, error["message"], name)
        self.assertLess(len(error["message"]), 1000, name)
        expected_type = "not_found_error" if status == 404 else "invalid_request_error"
        if path.startswith("/v1/messages"):  # Anthropic's shape
            self.assertEqual(answer["type"], "error", name)
            self.assertEqual(error["type"], "request_too_large" if status == 413 else expected_type, name)
        else:
            self.assertEqual(error["type"], expected_type, name)
            self.assertEqual(set(error), {"message", "type", "param", "code"}, name)
        return error

    def check_param(self, name, path, sent, status, error):
        """The field at fault is one of the body's, or one that is missing from it."""
        if status != 400 or path.startswith("/v1/messages"):
            return
        try:
            body = json.loads(sent)
        except (ValueError, RecursionError):
            text = sent if isinstance(sent, str) else sent.decode(errors="replace")
            self.assertTrue(error["param"] is None or f'"{error["param"]}"' in text, f"{name}: {error}")
            return
        if not isinstance(body, dict) or error["message"].startswith(("the body is ", "the body nests ")):
            return  # what is no body, or none to other readers than Python's
        names = set()
        collect_names(body, names)
        param = error["param"] or ""
        known = any(field == param or field.startswith(param.removesuffix("...")) for field in names)
        self.assertTrue(param and (known or param in error["message"]), f"{name}: {error}")

    def test_there_are_enough(self):
        names = [row[0] for row in bad_inputs.bad_requests() + bad_bytes.RAW]
        self.assertGreaterEqual(len(names), 300)
        self.assertEqual(len(names), len(set(names)))

    def send_all(self):
        """One connection, kept as long as the server keeps it."""
        connection = self.connect()
        for name, path, body, status, part in bad_inputs.bad_requests():
            body = body() if callable(body) else body
            body = body.encode() if isinstance(body, str) else body
            with self.subTest(name):
                try:
                    connection.request("POST", path, body, {"Content-Type": "application/json"})
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the answer came before the body was sent
                answer = connection.getresponse()
                text = answer.read()
                if answer.will_close:
                    connection.close()
                error = self.check_error(name, path, answer.status, text, status, part)
                self.check_param(name, path, body, answer.status, error)
        connection.close()

    def test_bad_requests_harm_no_stream(self):
        whole = self.complete(STREAM["prompt"], max_tokens=160, temperature=0, extra_body={"ignore_eos": True})
        texts, failures = [], []
        done = threading.Event()

        def read_streams():
            try:
                while True:
                    stream = self.complete(
                        STREAM["prompt"], max_tokens=160, temperature=0, stream=True, extra_body={"ignore_eos": True}
                    )
                    texts.append("".join(chunk.choices[0].text for chunk in stream))
                    if done.is_set():
                        return
            except Exception as error:  # told by the test's own thread
                failures.append(error)

        reader = threading.Thread(target=read_streams)
        reader.start()
        self.send_all()
        done.set()
        reader.join(PATIENCE_SECONDS)
        self.assertEqual(failures, [])
        self.assertEqual(set(texts), {whole.choices[0].text})

    def exchange(self, sent, half):
        """What comes back until the connection closes; with `half`, after the client has closed its side."""
        with socket.create_connection(self.server.address, timeout=PATIENCE_SECONDS) as connection:
            received = b""
            try:
                connection.sendall(sent)
                if half:
                    connection.shutdown(socket.SHUT_WR)
                while b"\r\n\r\n" not in received or not self.is_whole(received):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    received += piece
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all was sent
            return received

    @staticmethod
    def is_whole(received):
        head, _, body = received.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                return len(body) >= int(line.split(b":")[1])
        return False

    def test_raw_bytes(self):
        for name, sent, status, part in bad_bytes.RAW:
            with self.subTest(name):
                received = self.exchange(sent, half=status is None)
                if status is None:
                    self.assertTrue(not received or received.startswith(b"HTTP/1.1 4"), received[:200])
                    continue
                head, _, body = received.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1."), f"{name}: {received[:200]}")
                self.check_error(name, "", int(head.split()[1]), body, status, part)
        self.assertIn("choices", self.complete("Still here", max_tokens=2).model_dump())


if __name__ == "__main__":
    unittest.main()
