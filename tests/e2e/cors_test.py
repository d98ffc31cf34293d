"""Pages of other sites, in a real browser, and names of requests, with a real client."""

import functools
import http.server
import os
import tempfile
import threading
import unittest

import openai
from playwright.sync_api import sync_playwright

from page_browser import BROWSER
from quire_server import QuireServer

ASK = """async ([url, key]) => {
  const headers = {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + key, 'X-Stainless-Lang': 'js'};
  const body = JSON.stringify({prompt: 'Once', max_tokens: 3, stream: true});
  const answer = await fetch(url + '/v1/completions', {method: 'POST', headers, body});
  return [answer.status, answer.headers.get('X-Request-Id'), await answer.text()];
}"""


class Site:
    """Another site: an empty page on a port of its own."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        with open(os.path.join(self.folder.name, "index.html"), "w") as page:
            page.write("<!doctype html><title>another site</title>")
        handler = functools.partial(QuietHandler, directory=self.folder.name)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class CorsTest(unittest.TestCase):
    def ask_from(self, site, server):
        """What a page of `site` reads from the server; None if the browser refuses."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=BROWSER)
            page = browser.new_page()
            page.goto(site.origin)
            try:
                return page.evaluate(ASK, [server.url, "secret"])
            except Exception as error:
                self.assertIn("Failed to fetch", str(error))
                return None
            finally:
                browser.close()

    def test_pages_of_allowed_origins_alone_may_ask(self):
        with Site() as site:
            for origins in (site.origin, f"https://app.example.org, {site.origin}", "*"):
                with QuireServer("--api-key", "secret", "--allowed-origins", origins) as server:
                    status, request_id, text = self.ask_from(site, server)
                    self.assertEqual(status, 200)
                    self.assertRegex(request_id, "^[0-9a-f]{32}$")
                    self.assertTrue(text.endswith("data: [DONE]\n\n"))
            for flags in ((), ("--allowed-origins", "https://app.example.org")):
                with QuireServer("--api-key", "secret", *flags) as server:
                    self.assertIsNone(self.ask_from(site, server))


class RequestIdTest(unittest.TestCase):
    def test_every_answer_and_its_line_in_the_log_have_the_request_s_name(self):
        with QuireServer() as server, server.client() as client:
            for own in ("mine-1", "a.b_c"):
                raw = client.completions.with_raw_response.create(
                    model="", prompt="Once", max_tokens=2, extra_headers={"X-Request-Id": own})
                self.assertEqual(raw.headers["X-Request-Id"], own)
                server.wait_for_log(f"id {own}")
            with self.assertRaises(openai.NotFoundError) as caught:
                client.models.retrieve("another", extra_headers={"X-Request-Id": "not mine"})
            made = caught.exception.request_id
            self.assertRegex(made, "^[0-9a-f]{32}$")
            server.wait_for_log(f"id {made}")
            with client.completions.create(model="", prompt="Once", max_tokens=2, stream=True) as stream:
                self.assertRegex(stream.response.headers["X-Request-Id"], "^[0-9a-f]{32}$")
                list(stream)


if __name__ == "__main__":
    unittest.main()
