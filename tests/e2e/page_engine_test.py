"""The engine view of the page in a real browser, while the real model answers."""

import unittest
import urllib.request

from page_browser import PageTest
from quire_server import KV_BYTES_A_TOKEN, PATIENCE_SECONDS, QuireServer


class EngineViewTest(PageTest):
    def used_blocks(self):
        """By /metrics."""
        return round(self.server.metric("vllm:kv_cache_usage_perc") * self.total)

    def figure(self, page, label):
        text = page.inner_text(f"#figures div:has(> dt:text-is('{label}')) .value")
        return int(text.replace(",", ""))

    def test_memory_is_seen_being_paged(self):
        page = self.open("/#both", viewport={"width": 1440, "height": 900})
        page.wait_for_selector("#figures .value")
        detail = page.inner_text("#figures div:has(> dt:text-is('KV blocks used')) .detail")
        self.total = int(detail.split(" of ")[1].replace(",", ""))
        self.assertEqual(self.figure(page, "KV blocks used"), 0)
        self.answer_at_length(page)
        self.set_parameters(page, max_tokens=6000, temperature=1)
        page.fill("#prompt", "Write a very long story about a river.")
        page.press("#prompt", "Enter")
        page.wait_for_selector("#sequences tr[tabindex] >> text=decode")
        self.assertEqual(self.figure(page, "Running"), self.server.metric("vllm:num_requests_running"))
        # One request only takes more, so a figure that came between two looks at /metrics lies between them.
        least = self.used_blocks()
        used = "document.querySelectorAll('#figures .value')[5].textContent.replace(',', '')"
        page.wait_for_function(f"(least) => Number({used}) > least", arg=least)
        shown = self.figure(page, "KV blocks used")
        self.assertGreater(shown, least)
        self.assertLessEqual(shown, self.used_blocks())
        self.check_table(page)
        self.screenshot(page, "side-by-side")
        page.click("#stop")
        page.wait_for_selector("#sequences >> text=Nothing runs")
        self.assertEqual(self.figure(page, "KV blocks used"), 0)

    def check_table(self, page):
        page.hover("#sequences tr[tabindex]")
        page.wait_for_selector("#table-strip .entry")
        page.mouse.move(0, 0)
        page.wait_for_selector("#table-strip .entry", state="detached")
        page.focus("#sequences tr[tabindex]")
        page.wait_for_selector("#table-strip .entry")
        entries = page.locator("#table-strip .entry").count()
        self.assertGreaterEqual(self.used_blocks(), entries)
        page.focus("#map")
        page.keyboard.press("ArrowRight")
        self.assertRegex(page.inner_text("#map-tip"), r"^block 0 · (used|shared by \d)")
        self.assertIn("blocks of", page.get_attribute("#map", "aria-label"))
        self.assertRegex(page.inner_text("#steps-note"), r"the last \d+")

    def test_many_sequences_share_and_wait(self):
        page = self.open("/#engine", viewport={"width": 1280, "height": 900})
        page.wait_for_selector("#sequences >> text=Nothing runs")
        body = {"max_tokens": 2000, "temperature": 1, "stream": True, "extra_body": {"ignore_eos": True}}
        story = "Tell me a long story about a mill, its miller, and the river that drives both. " * 4
        streams = [self.chat(f"{story} {i}", n=n, **body) for i, n in enumerate((4, 2, 1))]
        page.wait_for_function("() => document.querySelectorAll('#sequences tr[tabindex]').length === 7")
        page.wait_for_function("() => / [1-9]\\d* cell/.test(document.getElementById('map').ariaLabel)")
        page.hover("#sequences tr[tabindex]:nth-child(2)")
        page.wait_for_selector("#table-strip .entry.shared")
        self.screenshot(page, "engine-light")
        dark = self.open("/#engine", color_scheme="dark", viewport={"width": 1280, "height": 900})
        dark.wait_for_selector("#sequences tr[tabindex]")
        self.screenshot(dark, "engine-dark")
        for stream in streams:
            stream.close()
        page.wait_for_selector("#sequences >> text=Nothing runs")

    def test_what_is_swapped_out_is_seen(self):
        pool = 128 * 16 * KV_BYTES_A_TOKEN
        flags = ("--kv-cache-memory-bytes", str(pool), "--preemption-mode", "swap", "--expected-output-tokens", "0")
        flags += ("--threads", "1", "--activations", "fp32")  # the browser has to keep up
        with QuireServer(*flags) as server, server.client() as client:
            page = self.open("/#engine", url=server.url, viewport={"width": 1280, "height": 900})
            page.wait_for_selector("#sequences >> text=Nothing runs")
            self.assertFalse(page.is_visible("#swap"))
            body = {"model": "", "temperature": 1, "stream": True, "extra_body": {"ignore_eos": True}}
            long = client.completions.create(prompt=[5] * 16, max_tokens=1900, **body)
            # Together they need more than there is: 60 blocks, and 8 more each 16 steps.
            wide = client.completions.create(prompt=[7] * 960, max_tokens=128, n=8, **body)
            page.hover("#sequences tr:has(> td:text-is('swapped'))", force=True)  # rows are made anew
            page.wait_for_selector("#table-strip >> text=Swap slots of #2.7:")
            page.wait_for_function("() => document.querySelectorAll('#table-strip .entry.shared').length > 8 * 59")
            self.assertRegex(page.inner_text("#swap-note"), r"^\d+ of [\d,]+ slots taken")
            self.screenshot(page, "engine-swap")
            page.focus("#swap-map")
            page.keyboard.press("ArrowRight")
            self.assertRegex(page.inner_text("#swap-tip"), r"^swap slot 0 · swapped out · #2, #2.1")
            long.close()
            page.wait_for_selector("#sequences tr:not(.waiting):has(> td:text-is('#2.7'))")
            wide.close()
            page.wait_for_selector("#sequences >> text=Nothing runs")
            self.assertRegex(page.inner_text("#swap-note"), "^0 of")
            server.wait_for_baseline()

    def test_more_viewers_than_allowed_are_told(self):
        request = urllib.request.Request(self.server.url + "/v1/engine/events")
        streams = [urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) for _ in range(4)]
        page = self.open("/#engine")
        page.wait_for_selector("#feed-state >> text=open already")
        for stream in streams:
            stream.close()
        page.wait_for_selector("#sequences >> text=Nothing runs")  # it tries again by itself


if __name__ == "__main__":
    unittest.main()
