"""The page at / in a real browser, against the real model: chat, keyboard, looks, safety."""

import unittest
import urllib.error
import urllib.request

from page_browser import PageTest
from quire_server import PATIENCE_SECONDS, QuireServer

QUESTION = "What is the capital of France?"

MARKDOWN = """## Paged memory

A **block table** maps *logical* blocks to `physical` ones:

1. A block is taken when the one before is full.
2. Blocks are shared:
   - by forks
   - by prompts that begin alike

```python
def append(table, token):  # one more
    if table.num_tokens % 16 == 0:
        table.blocks.append(allocate("kv", 1))
    return table
```

| policy | waste | a column that makes the table wider than a telephone | and one more of the same width |
| --- | --: | :-: | --- |
| paged | 2.8% | ours | x |
| reserved | 62% | theirs | y |

> Nothing is ever moved.

See https://arxiv.org/abs/2309.06180."""

HOSTILE = """<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>

[click](javascript:window.hacked=1) [data](data:text/html,x) ![pixel](https://example.com/pixel.png)
<javascript:window.hacked=1> <a href="x" onclick="window.hacked=1">y</a>

```html
</code></pre><script>window.hacked = 1</script>
```

| <svg onload="window.hacked=1"> | b |
| --- | --- |
| <iframe src="//example.com"> | d |"""


WATCH_THE_ANSWER_GROW = """() => {
    window.lengths = new Set();
    const look = () => window.lengths.add(document.querySelector(".assistant .body")?.textContent.length ?? 0);
    new MutationObserver(look).observe(document.getElementById("messages"), { childList: true, subtree: true });
}"""


class ChatTest(PageTest):
    def test_an_answer_is_what_the_api_says(self):
        self.set_parameters(self.page, temperature=0, max_tokens=40)
        self.page.evaluate(WATCH_THE_ANSWER_GROW)
        self.ask(self.page, QUESTION)
        whole = self.chat(QUESTION, temperature=0, max_tokens=40)
        [conversation] = self.conversations(self.page)
        self.assertEqual(conversation["title"], QUESTION)
        self.assertEqual([m["role"] for m in conversation["messages"]], ["user", "assistant"])
        self.assertEqual(conversation["messages"][1]["content"], whole.choices[0].message.content)
        self.assertEqual(conversation["messages"][1]["stats"]["tokens"], whole.usage.completion_tokens)
        lengths = self.page.evaluate("() => [...window.lengths]")
        self.assertGreater(len(lengths), 3)
        self.assertEqual(lengths, sorted(lengths))
        self.assertIn("tokens/s", self.page.inner_text(".assistant footer"))

    def test_parameters_go_with_the_request(self):
        self.set_parameters(
            self.page, system="You are brief.", temperature=0.5, top_p=0.9, max_tokens=3, seed=7
        )
        with self.page.expect_request("**/v1/chat/completions") as sent:
            self.ask(self.page, "Hello.")
        body = sent.value.post_data_json
        self.assertEqual(body["messages"][0], {"role": "system", "content": "You are brief."})
        self.assertEqual(body["messages"][1], {"role": "user", "content": "Hello."})
        wanted = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 3, "seed": 7, "stream": True}
        self.assertLessEqual(wanted.items(), body.items())
        self.assertTrue({"top_k", "min_p", "presence_penalty", "stop"}.isdisjoint(body))
        self.page.click("#new-conversation")
        self.assertIn("temperature 0.5", self.page.inner_text("#composer-note"))
        more = {"top_k": 40, "min_p": 0.05, "presence_penalty": -0.5, "frequency_penalty": 0.5}
        more |= {"repetition_penalty": 1.1}
        self.set_parameters(self.page, **more, stop="END\n\nSTOP")
        with self.page.expect_request("**/v1/chat/completions") as sent:
            self.ask(self.page, "Hello.")
        self.assertLessEqual({**more, "stop": ["END", "STOP"]}.items(), sent.value.post_data_json.items())
        self.assertEqual(self.page.locator(".error").count(), 0)

    def test_a_parameter_out_of_range_is_not_taken(self):
        self.page.click("#open-settings")
        self.page.click("#settings summary")
        self.page.fill("#setting-min_p", "1.5")
        self.page.click("#settings summary")
        self.page.click("#settings button[type=submit]")
        self.page.wait_for_selector("#setting-min_p:visible")  # to see what is wrong
        self.page.click("#settings >> text=Defaults")
        self.page.click("#settings button[type=submit]")
        self.page.wait_for_selector("#settings", state="hidden")
        self.assertEqual(self.page.inner_text("#composer-note"), "temperature 0.7")

    def test_stop_keeps_what_there_is(self):
        self.answer_at_length(self.page)
        for how in ("key", "button"):
            self.set_parameters(self.page, max_tokens=4000)
            self.page.fill("#prompt", "Write a very long story about a river.")
            self.page.press("#prompt", "Enter")
            self.page.wait_for_selector("#messages > :last-child.assistant .body:not(:empty)")
            if how == "key":
                self.page.keyboard.press("Escape")
            else:
                self.page.click("#stop")
            self.wait_for_answer(self.page)
            self.assertIn("stopped", self.page.inner_text("#messages > :last-child footer"))
            self.assertTrue(self.conversations(self.page)[0]["messages"][-1]["content"])
            self.server.wait_for_baseline()  # the server has noticed
            self.page.wait_for_selector("#send:visible")

    def test_retry_asks_again_with_what_came_before(self):
        self.set_parameters(self.page, temperature=0, max_tokens=8)
        self.ask(self.page, QUESTION)
        self.ask(self.page, "Are you sure?")
        before = self.conversations(self.page)[0]["messages"]
        with self.page.expect_request("**/v1/chat/completions") as sent:
            self.page.click("#messages > :last-child >> text=Retry")
        self.assertEqual([m["content"] for m in sent.value.post_data_json["messages"]],
                         [m["content"] for m in before[:3]])
        self.wait_for_answer(self.page)
        after = self.conversations(self.page)[0]["messages"]
        self.assertEqual([m["content"] for m in after], [m["content"] for m in before])

    def test_an_edited_message_begins_anew_from_there(self):
        self.set_parameters(self.page, max_tokens=4)
        self.ask(self.page, "One")
        self.ask(self.page, "Two")
        self.page.hover("#messages > :nth-child(1)")
        self.page.click("#messages > :nth-child(1) >> text=Edit")
        self.page.fill(".message textarea", "Three")
        self.page.keyboard.press("Escape")  # changes nothing
        self.assertEqual(self.page.locator(".message").count(), 4)
        self.page.click("#messages > :nth-child(1) >> text=Edit")
        self.page.fill(".message textarea", "Three")
        self.page.keyboard.press("Enter")
        self.wait_for_answer(self.page)
        self.assertEqual(self.page.locator(".message").count(), 2)
        self.assertEqual(self.page.inner_text(".message.user .body"), "Three")

    def test_conversations_are_kept(self):
        self.set_parameters(self.page, max_tokens=4)
        self.ask(self.page, "First question")
        self.page.click("#new-conversation")
        self.ask(self.page, "Second question")
        texts = self.page.locator(".message .body").all_inner_texts()
        self.page.reload()
        self.page.wait_for_selector(".message.assistant")
        self.assertEqual(self.page.locator(".message .body").all_inner_texts(), texts)
        titles = self.page.locator(".conversation .title")
        self.assertEqual(titles.all_inner_texts(), ["Second question", "First question"])
        self.page.click(".conversation >> text=First question")
        self.assertEqual(self.page.inner_text(".message.user .body"), "First question")
        self.page.hover("#conversation-list li:nth-child(2)")
        self.page.click("#conversation-list li:nth-child(2) .remove")
        self.assertEqual(self.page.locator(".message").count(), 0)
        self.assertEqual(titles.all_inner_texts(), ["Second question"])
        self.page.click("#notice >> text=Undo")
        self.assertEqual(self.page.inner_text(".message.user .body"), "First question")
        self.assertEqual(len(self.conversations(self.page)), 2)

    def test_what_the_server_refuses_is_told(self):
        self.set_parameters(self.page, max_tokens=1000000)
        self.ask(self.page, "Hello")
        self.assertIn("1000000", self.page.inner_text(".assistant .error"))
        self.set_parameters(self.page, max_tokens=3)
        self.page.click("#messages > :last-child >> text=Retry")
        self.wait_for_answer(self.page)
        self.assertEqual(self.page.locator(".error").count(), 0)

    def test_a_connection_that_fails_is_told(self):
        self.page.route("**/v1/chat/completions", lambda route: route.abort())
        self.ask(self.page, "Hello")
        self.assertEqual(self.page.inner_text(".error"), "the server does not answer")
        self.page.unroute("**/v1/chat/completions")
        self.answer_with(self.page, "So far", whole=False)
        self.page.click("#messages > :last-child >> text=Retry")
        self.page.wait_for_selector(".error >> text=the connection ended before the answer did")
        self.assertEqual(self.page.inner_text(".assistant .body"), "So far")
        self.assertEqual(self.conversations(self.page)[0]["messages"][1]["content"], "So far")

    def test_reasoning_stands_apart(self):
        self.answer_with(self.page, "It is four.", reasoning="Two and <b>two</b>.")
        self.ask(self.page, "2 + 2?")
        self.assertEqual(self.page.inner_text(".assistant .body"), "It is four.")
        self.assertFalse(self.page.is_visible(".assistant .reasoning p"))
        self.page.click(".assistant .reasoning summary")
        self.assertEqual(self.page.inner_text(".assistant .reasoning p"), "Two and <b>two</b>.")
        with self.page.expect_request("**/v1/chat/completions") as sent:
            self.ask(self.page, "Sure?")
        said = sent.value.post_data_json["messages"][1]
        self.assertEqual(said, {"role": "assistant", "content": "It is four."})

    def test_a_browser_that_keeps_nothing_will_do(self):
        forbidden = "{ get() { throw new DOMException('no', 'SecurityError'); } }"
        names = ("localStorage", "sessionStorage")
        page = self.open(
            before="".join(f"Object.defineProperty(window, '{name}', {forbidden});" for name in names)
        )
        self.answer_with(page, "Fine.")
        self.ask(page, "First")
        page.click("#new-conversation")
        self.ask(page, "Second")
        page.click(".conversation >> text=First")
        self.assertEqual(page.inner_text(".message.user .body"), "First")
        page.click("#theme")

    def test_text_is_copied_without_the_clipboard_s_interface(self):
        page = self.open(before="Object.defineProperty(navigator, 'clipboard', { value: undefined });")
        self.answer_with(page, "Copy *this*.")
        self.ask(page, "Hello")
        page.click("#messages > :last-child button >> text=Copy")
        page.wait_for_selector("#messages > :last-child button >> text=Copied")
        page.focus("#prompt")
        page.keyboard.press("Control+v")
        self.assertEqual(page.input_value("#prompt"), "Copy *this*.")

    def test_the_keyboard_is_enough(self):
        page = self.page
        self.answer_with(page, "Fine.")
        page.keyboard.type("two")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("lines")
        page.keyboard.press("Enter")
        self.wait_for_answer(page)
        self.assertEqual(page.inner_text(".message.user .body"), "two\nlines")
        page.keyboard.press("ArrowUp")
        self.assertEqual(page.input_value(".message textarea"), "two\nlines")
        page.keyboard.press("Escape")
        page.focus("#messages")
        page.keyboard.press("?")
        page.wait_for_selector("#shortcuts[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        self.assertEqual(page.evaluate("() => document.activeElement.id"), "prompt")
        page.keyboard.press("Alt+n")
        self.assertEqual(page.locator(".message").count(), 0)
        page.keyboard.press("Alt+3")
        page.wait_for_selector("#engine:visible")
        page.keyboard.press("Alt+1")
        page.wait_for_selector("#prompt:visible")


class SmallContextTest(PageTest):
    flags = ("--max-model-len", "96")

    def test_an_answer_takes_what_the_context_leaves(self):
        self.answer_at_length(self.page)
        self.ask(self.page, QUESTION)
        self.assertEqual(self.page.locator(".error").count(), 0)
        [conversation] = self.conversations(self.page)
        prompt = self.chat(QUESTION, max_tokens=1).usage.prompt_tokens
        self.assertEqual(conversation["messages"][1]["stats"]["tokens"], 96 - prompt)


class LooksTest(PageTest):
    def test_markdown_becomes_elements(self):
        self.answer_with(self.page, MARKDOWN)
        self.ask(self.page, "What is paged memory?")
        body = self.page.locator(".assistant .body")
        self.assertEqual(body.locator("h4").inner_text(), "Paged memory")
        self.assertEqual(body.locator("p > strong").inner_text(), "block table")
        self.assertEqual(body.locator("ol > li").count(), 2)
        self.assertEqual(body.locator("ol ul > li").count(), 2)
        self.assertIn("def append(table, token):", body.locator("pre code").inner_text())
        self.assertEqual(body.locator(".comment").inner_text(), "# one more")
        self.assertEqual(body.locator("tbody tr").count(), 2)
        self.assertEqual(body.locator("blockquote").inner_text(), "Nothing is ever moved.")
        self.assertEqual(body.locator("a").get_attribute("href"), "https://arxiv.org/abs/2309.06180")
        self.screenshot(self.page, "chat-light")

    def test_dark(self):
        light = self.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        dark_page = self.open(color_scheme="dark")
        dark = dark_page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        self.assertNotEqual(light, dark)
        self.answer_with(dark_page, MARKDOWN)
        self.ask(dark_page, "What is paged memory?")
        self.screenshot(dark_page, "chat-dark")
        for _ in range(2):  # as the system, light, dark
            self.page.click("#theme")
        self.assertEqual(self.page.evaluate("() => getComputedStyle(document.body).backgroundColor"), dark)
        self.page.reload()
        self.assertEqual(self.page.evaluate("() => getComputedStyle(document.body).backgroundColor"), dark)

    def test_narrow(self):
        page = self.open(viewport={"width": 360, "height": 740})
        self.answer_with(page, MARKDOWN)
        self.ask(page, "What is paged memory?")
        self.screenshot(page, "chat-narrow")
        self.answer_with(page, "word" * 200)
        self.ask(page, "long" * 100)
        self.assert_no_sideways_scroll(page)
        page.click("#open-conversations")
        page.wait_for_selector("#new-conversation:visible")
        page.click("#new-conversation")
        page.wait_for_selector("#new-conversation", state="hidden")
        page.click("nav >> text=Engine")
        page.wait_for_selector("#sequences tbody tr")
        self.assert_no_sideways_scroll(page)
        self.screenshot(page, "engine-narrow")

    def test_touched(self):
        page = self.open(viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True)
        self.answer_with(page, "Fine.")
        page.fill("#prompt", "two")
        page.press("#prompt", "Enter")  # a telephone has no Shift + Enter
        page.keyboard.type("lines")
        page.tap("#send")
        self.wait_for_answer(page)
        self.assertEqual(page.inner_text(".message.user .body"), "two\nlines")
        page.tap("#open-conversations")
        page.wait_for_selector("#new-conversation:visible")
        page.touchscreen.tap(370, 400)
        page.wait_for_selector("#new-conversation", state="hidden")
        page.tap("#open-settings")
        self.screenshot(page, "parameters-touched")

    def test_the_chosen_theme_is_there_from_the_start(self):
        self.page.click("#theme")
        self.page.click("#theme")
        self.page.route("**/page/app.js", lambda route: route.abort())
        self.page.reload()
        self.assertEqual(self.page.evaluate("() => document.documentElement.dataset.theme"), "dark")

    def test_everything_has_a_name(self):
        nameless = self.page.evaluate(
            """() => [...document.querySelectorAll("button, a, input, textarea, canvas, [role]")]
                .filter((found) => !(found.textContent.trim() || found.getAttribute("aria-label") || found.title
                    || found.labels?.length || found.hidden || found.id === "notice" || found.id === "feed-state"))
                .map((found) => found.outerHTML)"""
        )
        self.assertEqual(nameless, [])


class SafetyTest(PageTest):
    def test_what_a_model_writes_is_never_markup(self):
        elsewhere = []
        self.page.on(
            "request",
            lambda request: elsewhere.append(request.url) if not request.url.startswith(self.server.url) else None,
        )
        self.answer_with(self.page, HOSTILE)
        self.ask(self.page, HOSTILE)
        self.page.reload()
        self.page.wait_for_selector(".message.assistant")
        self.assertEqual(self.page.evaluate("() => window.hacked"), None)
        self.assertEqual(self.page.locator("#messages :is(img, script, svg, iframe, [onclick])").count(), 0)
        links = self.page.eval_on_selector_all("#messages a", "all => all.map((link) => link.href)")
        self.assertEqual(links, ["https://example.com/pixel.png"])
        self.assertIn("<script>window.hacked = 1</script>", self.page.inner_text(".assistant .body"))
        self.assertEqual(elsewhere, [])

    def test_the_policy_blocks_what_a_mistake_would_let_in(self):
        blocked = self.page.evaluate(
            """async () => {
                const violations = [];
                const note = (event) => violations.push(event.violatedDirective);
                document.addEventListener("securitypolicyviolation", note);
                const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.name; } };
                const markup = attempt(() => { document.body.innerHTML = "<b>x</b>"; });
                const image = new Image();
                const failed = new Promise((resolve) => { image.onerror = resolve; });
                image.src = "https://example.com/x.png";
                await failed;
                const styled = document.createElement("p");
                styled.setAttribute("style", "color: red");
                document.body.append(styled);
                await new Promise((resolve) => setTimeout(resolve));
                return { markup, violations, colour: getComputedStyle(styled).color };
            }"""
        )
        self.assertEqual(blocked["markup"], "TypeError")
        self.assertIn("img-src", blocked["violations"])
        self.assertNotEqual(blocked["colour"], "rgb(255, 0, 0)")

    def test_files_come_with_their_policy(self):
        for path in ("/", "/page/app.js"):
            with urllib.request.urlopen(self.server.url + path, timeout=PATIENCE_SECONDS) as answer:
                self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
                etag = answer.headers["ETag"]
            request = urllib.request.Request(self.server.url + path, headers={"If-None-Match": etag})
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
            self.assertEqual(caught.exception.code, 304)
            caught.exception.close()

    def test_a_key_is_asked_for(self):
        with QuireServer(env={"QUIRE_API_KEY": "secret"}) as server:
            page = self.browser.new_page()
            page.set_default_timeout(PATIENCE_SECONDS * 1000)
            page.goto(server.url)
            page.wait_for_selector("#key[open]")
            self.assertEqual(page.locator("#key .error").count(), 0)
            self.screenshot(page, "key")
            page.fill("#key-input", "wrong")
            page.keyboard.press("Enter")
            page.wait_for_selector("#key .error")
            page.fill("#key-input", "secret")
            page.keyboard.press("Enter")
            page.wait_for_selector("#model:not(:empty)")
            self.set_parameters(page, max_tokens=3)
            self.ask(page, "Hello")
            self.assertEqual(page.locator("#messages .error").count(), 0)
            page.reload()  # kept for this tab, and nowhere else
            page.wait_for_selector("#model:not(:empty)")
            self.assertEqual(page.evaluate("() => localStorage.getItem('quire.key')"), None)
            page.goto(server.url + "/#engine")
            page.wait_for_selector("#sequences >> text=Nothing runs")
            page.close()


if __name__ == "__main__":
    unittest.main()
