"""The log as JSON: every line an object, requests with fields of their own, texts only if they are asked for."""

import json
import unittest

from quire_server import QuireServer

SECRET = "xylophone"


def requests_in(server):
    """The lines of requests, once the server has ended; every line must be JSON."""
    lines = [json.loads(line) for line in server.log]
    for line in lines:
        assert line["level"] in ("info", "warning", "error"), line
        assert line["time"].endswith("Z") and line["message"], line
    return [line for line in lines if line["message"] == "request" and line["path"] != "/metrics"]


class LogTest(unittest.TestCase):
    def ask(self, *flags):
        with QuireServer("--api-key", "hidden", *flags) as server, server.client(api_key="hidden") as client:
            raw = client.completions.with_raw_response.create(model="", prompt=f"My {SECRET} is", max_tokens=5)
            stream = client.chat.completions.create(
                model="", messages=[{"role": "user", "content": SECRET}], max_tokens=4000, stream=True,
                extra_body={"ignore_eos": True}, extra_headers={"X-Request-Id": "left"})
            next(iter(stream))
            stream.close()
            server.wait_for_log("499")
        return raw, server

    def test_requests_have_fields_and_no_text(self):
        raw, server = self.ask("--log-format", "json")
        whole, left = requests_in(server)
        self.assertEqual((whole["method"], whole["path"], whole["status"]), ("POST", "/v1/completions", 200))
        self.assertEqual(whole["request_id"], raw.headers["X-Request-Id"])
        self.assertEqual((whole["prompt_tokens"], whole["completion_tokens"]),
                         (raw.parse().usage.prompt_tokens, 5))
        self.assertGreater(whole["duration_ms"], 0)
        self.assertRegex(whole["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual((left["status"], left["request_id"], left["note"]), (499, "left", "the client left"))
        self.assertGreater(left["completion_tokens"], 0)
        for secret in (SECRET, "hidden"):
            self.assertNotIn(secret, "".join(server.log))

    def test_log_prompts_shows_texts_but_never_keys(self):
        raw, server = self.ask("--log-format", "json", "--log-prompts")
        whole, left = requests_in(server)
        self.assertEqual(whole["prompt"], f"My {SECRET} is")
        self.assertEqual(whole["completion"], raw.parse().choices[0].text)
        self.assertIn(SECRET, left["prompt"])
        self.assertNotIn("hidden", "".join(server.log))
        _, server = self.ask("--log-prompts")
        self.assertIn(f'prompt "My {SECRET} is"', "".join(server.log))


if __name__ == "__main__":
    unittest.main()
