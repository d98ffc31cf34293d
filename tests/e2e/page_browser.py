"""A headless browser in front of a running server, for the tests of the page.

QUIRE_BROWSER names another Chromium than Debian's. Screenshots go to build/screenshots, for people to look at."""

import json
import os

from playwright.sync_api import sync_playwright

from quire_server import PATIENCE_SECONDS, ROOT, ServedTest

BROWSER = os.environ.get("QUIRE_BROWSER", "/usr/bin/chromium")
SCREENSHOTS = ROOT / "build" / "screenshots"


class PageTest(ServedTest):
    """Tests that share one server and one browser; each has a fresh profile."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(executable_path=BROWSER)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        super().tearDownClass()

    def setUp(self):
        self.page = self.open()

    def tearDown(self):
        for context in self.browser.contexts:
            context.close()
        super().tearDown()

    def open(self, path="/", url=None, before="", **profile):
        """A page in a profile of its own; `before` is a script that runs before the page's own. What it reports as
        an error fails the test."""
        profile.setdefault("viewport", {"width": 1280, "height": 800})
        context = self.browser.new_context(**profile)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.add_init_script(before)
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        self.addCleanup(lambda: self.assertEqual(errors, []))
        page.goto((url or self.server.url) + path)
        page.wait_for_selector("#model:not(:empty)", state="attached")
        return page

    def screenshot(self, page, name):
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def set_parameters(self, page, **values):
        page.click("#open-settings")
        page.evaluate("() => { document.querySelector('#settings details').open = true; }")
        for name, value in values.items():
            page.fill(f"#setting-{name}", str(value))
        page.click("#settings button[type=submit]")

    def ask(self, page, text):
        """Sends a message, and returns when its answer is whole."""
        page.fill("#prompt", text)
        page.press("#prompt", "Enter")
        self.wait_for_answer(page)

    def wait_for_answer(self, page):
        page.wait_for_selector("#messages > :last-child.assistant[aria-busy=false]")

    def conversations(self, page):
        """What the browser keeps, the newest first."""
        kept = page.evaluate("() => Object.values({...localStorage}).filter((text) => text.startsWith('{'))")
        return sorted(map(json.loads, kept), key=lambda conversation: -conversation["updated"])

    def answer_with(self, page, content, reasoning="", whole=True):
        """From now on every answer is `content`, whatever is asked; one that is not whole ends there."""
        chunks = [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
        chunks += [{"delta": {"reasoning_content": piece}, "finish_reason": None} for piece in reasoning]
        chunks += [{"delta": {"content": piece}, "finish_reason": None} for piece in content]
        chunks += [{"delta": {}, "finish_reason": "stop"}] if whole else []
        events = [json.dumps({"choices": [chunk]}) for chunk in chunks] + (["[DONE]"] if whole else [])
        body = "".join(f"data: {event}\n\n" for event in events)
        page.route(
            "**/v1/chat/completions",
            lambda route: route.fulfill(status=200, content_type="text/event-stream", body=body),
        )

    def answer_at_length(self, page):
        """From now on answers go on to max_tokens."""

        def go_on(route):
            route.continue_(post_data=json.dumps({**route.request.post_data_json, "ignore_eos": True}))

        page.route("**/v1/chat/completions", go_on)

    def assert_no_sideways_scroll(self, page):
        wide, fits = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        self.assertLessEqual(wide, fits)
