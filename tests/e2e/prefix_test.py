"""What prompts have in common: the prefix cache and pinned prefixes, through the official client and plain HTTP."""

import json
import tempfile
import unittest
import urllib.error
import urllib.request

from quire_server import PATIENCE_SECONDS, QuireServer

PROMPT = "Once upon a time there was a small server that remembered what it had read. " * 12
KEYS = ("--api-key", "one,two")


def complete(client, prompt=PROMPT, **options):
    options.setdefault("max_tokens", 12)
    return client.completions.create(model="", prompt=prompt, temperature=0, logprobs=1, **options)


def cached(answer):
    return answer.usage.prompt_tokens_details.cached_tokens


def call(server, method, path, body=None, key=None):
    """The status and the JSON of an answer."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class PrefixCacheTest(unittest.TestCase):
    def test_the_second_request_finds_the_first_ones_prompt_and_says_the_same(self):
        with QuireServer("--no-enable-prefix-caching") as server, server.client() as client:
            wanted = complete(client)
            self.assertEqual(cached(complete(client)), 0)
        with QuireServer() as server, server.client() as client:
            first, second = complete(client), complete(client)
            self.assertEqual(cached(first), 0)
            self.assertEqual(cached(second), (second.usage.prompt_tokens - 1) // 16 * 16)
            for answer in (first, second):
                self.assertEqual(answer.choices[0], wanted.choices[0])
            self.assertEqual(cached(complete(client, extra_body={"cache_salt": "mine"})), 0)
            self.assertGreater(cached(complete(client, extra_body={"cache_salt": "mine"})), 0)
            server.wait_for_baseline()

    def test_keys_share_nothing(self):
        with QuireServer(*KEYS) as server:
            with server.client(api_key="one") as one, server.client(api_key="two") as two:
                self.assertEqual(cached(complete(one)), 0)
                self.assertEqual(cached(complete(two)), 0)
                self.assertGreater(cached(complete(one)), 0)

    def test_a_conversation_finds_its_earlier_turns(self):
        with QuireServer() as server, server.client() as client:
            messages = [{"role": "system", "content": "You are a patient librarian. " * 10}]
            tokens_before = 0
            for question in ("Where are the books on ships?", "And those on birds?", "Which is the oldest one?"):
                messages.append({"role": "user", "content": question})
                answer = client.chat.completions.create(model="", messages=messages, temperature=0, max_tokens=24)
                # All but the last blocks of what was read; answers are read anew where the template cut them.
                self.assertGreaterEqual(cached(answer), tokens_before // 16 * 16)
                tokens_before = answer.usage.prompt_tokens - 16
                messages.append({"role": "assistant", "content": answer.choices[0].message.content})


class PinnedPrefixTest(unittest.TestCase):
    def test_a_prefix_is_pinned_listed_found_and_deleted(self):
        with QuireServer(*KEYS) as server, server.client(api_key="one") as client:
            status, pinned = call(server, "POST", "/v1/prefixes", {"prompt": PROMPT}, "one")
            self.assertEqual(status, 200)
            self.assertEqual(pinned["tokens"], pinned["blocks"] * 16)
            self.assertEqual(call(server, "GET", "/v1/prefixes", None, "one")[1]["data"], [pinned])
            self.assertEqual(call(server, "GET", "/v1/prefixes", None, "two")[1]["data"], [])
            answer = complete(client, PROMPT + "And then")
            self.assertEqual(cached(answer), pinned["tokens"])
            path = "/v1/prefixes/" + pinned["id"]
            self.assertEqual(call(server, "GET", path, None, "one"), (200, pinned))
            self.assertEqual(call(server, "DELETE", path, None, "two")[0], 404)
            self.assertEqual(call(server, "DELETE", path, None, "one")[0], 200)
            self.assertEqual(call(server, "GET", path, None, "one")[0], 404)

    def test_a_pinned_system_prompt_begins_later_chats(self):
        system = {"role": "system", "content": "You answer in one word. " * 20}
        with QuireServer() as server, server.client() as client:
            status, pinned = call(server, "POST", "/v1/prefixes", {"messages": [system]})
            self.assertEqual(status, 200)
            self.assertGreater(pinned["blocks"], 2)
            answer = client.chat.completions.create(
                model="", messages=[system, {"role": "user", "content": "What barks?"}], max_tokens=4
            )
            self.assertEqual(cached(answer), pinned["tokens"])
            self.assertGreater(server.metric("quire:kv_blocks_pinned"), 0)
            self.assertEqual(call(server, "DELETE", "/v1/prefixes/" + pinned["id"])[0], 200)
            server.wait_for_baseline()

    def test_a_file_is_pinned_before_anybody_is_served(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps({"prompt": PROMPT}) + "\n" + json.dumps({"prompt": PROMPT[:300], "cache_salt": "x"}))
            file.flush()
            with QuireServer("--prefix-file", file.name) as server, server.client() as client:
                pinned = call(server, "GET", "/v1/prefixes")[1]["data"]
                self.assertEqual(len(pinned), 2)
                self.assertEqual(cached(complete(client, PROMPT + "And then")), pinned[0]["tokens"])
                self.assertIn("pinned a prefix of", "".join(server.log))

    def test_a_bad_line_is_an_error_before_anybody_is_served(self):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps({"prompt": PROMPT}) + "\n" + json.dumps({"prompts": "a"}))
            file.flush()
            with self.assertRaises(RuntimeError) as caught:
                QuireServer("--prefix-file", file.name)
            self.assertIn("line 2 of the prefix file", str(caught.exception))
            self.assertIn("'prompts'", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
