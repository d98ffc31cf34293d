"""/v1/messages through Anthropic's own client."""

import json
import unittest

import anthropic
from quire_server import PATIENCE_SECONDS, QuireServer, ServedTest


def client_of(server, key="none"):
    return anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0, timeout=PATIENCE_SECONDS)


GREEDY = {"temperature": 0}  # which newer clients have no argument for
HELLO = [{"role": "user", "content": "Say hello."}]


class AnthropicClient(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.anthropic = client_of(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.anthropic.close()
        super().tearDownClass()

    def message(self, messages=HELLO, **options):
        options = {"model": self.model, "max_tokens": 12} | options
        return self.anthropic.messages.create(messages=messages, extra_body=GREEDY, **options)

    def test_the_answer_of_a_chat_completion(self):
        answer = self.message(system="You are a parrot.")
        chat = self.client.chat.completions.create(
            model=self.model, max_tokens=12, temperature=0,
            messages=[{"role": "system", "content": "You are a parrot."}, *HELLO])
        self.assertEqual(answer.content[0].type, "text")
        self.assertEqual(answer.content[0].text, chat.choices[0].message.content)
        self.assertEqual(answer.stop_reason, "max_tokens")
        usage = answer.usage
        self.assertEqual(usage.input_tokens + usage.cache_read_input_tokens, chat.usage.prompt_tokens)
        self.assertEqual(usage.output_tokens, 12)
        self.assertTrue(answer._request_id)
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.message(max_tokens=10**6)
        self.assertTrue(caught.exception.request_id)
        self.assertEqual(caught.exception.body["request_id"], caught.exception.request_id)

    def test_models(self):
        (listed,) = self.anthropic.models.list()
        self.assertEqual((listed.id, listed.type, listed.display_name), (self.model, "model", self.model))
        self.assertEqual(listed.created_at.timestamp(), self.client.models.retrieve(self.model).created)
        self.assertEqual(self.anthropic.models.retrieve(self.model), listed)

    def test_a_stream_is_the_same_message(self):
        whole = self.message(max_tokens=40)
        with self.anthropic.messages.stream(model=self.model, max_tokens=40, messages=HELLO, extra_body=GREEDY) as stream:
            text = "".join(stream.text_stream)
            message = stream.get_final_message()
        self.assertEqual(text, whole.content[0].text)
        self.assertEqual(message.content[0].text, text)
        self.assertEqual(message.stop_reason, whole.stop_reason)
        self.assertEqual(message.usage.output_tokens, whole.usage.output_tokens)

    def test_an_answer_goes_on_with_the_assistants_text(self):
        begun = [*HELLO, {"role": "assistant", "content": "Hello, dear"}]
        answer = self.message(begun)
        chat = self.client.chat.completions.create(
            model=self.model, max_tokens=12, temperature=0, messages=begun, extra_body={"continue_final_message": True})
        self.assertEqual(answer.content[0].text, chat.choices[0].message.content)
        usage = answer.usage
        self.assertEqual(usage.input_tokens + usage.cache_read_input_tokens, chat.usage.prompt_tokens)
        count = self.anthropic.messages.count_tokens(model=self.model, messages=begun)
        self.assertEqual(count.input_tokens, chat.usage.prompt_tokens)

    def test_turns_of_one_role_and_a_schema(self):
        apart = [{"role": "user", "content": "Name a number"}, {"role": "user", "content": "of two digits."}]
        together = [{"role": "user", "content": "Name a number\nof two digits."}]
        counts = [self.anthropic.messages.count_tokens(model=self.model, messages=turns).input_tokens
                  for turns in (apart, together)]
        self.assertEqual(counts[0], counts[1])
        schema = {"type": "object", "properties": {"number": {"enum": [11]}}, "required": ["number"],
                  "additionalProperties": False}
        answer = self.message(apart, max_tokens=60, thinking={"type": "disabled"},
                              output_config={"format": {"type": "json_schema", "schema": schema}})
        self.assertEqual(json.loads(answer.content[0].text), {"number": 11})

    def test_a_conversation_and_a_stop_sequence(self):
        answer = self.message([{"role": "user", "content": [{"type": "text", "text": "Count: one, two,"}]},
                               {"role": "assistant", "content": "three, four,"},
                               {"role": "user", "content": "Repeat the word banana five times."}],
                              max_tokens=60, stop_sequences=["banana"])
        self.assertEqual((answer.stop_reason, answer.stop_sequence), ("stop_sequence", "banana"))

    def test_tokens_are_counted(self):
        count = self.anthropic.messages.count_tokens(model=self.model, messages=HELLO)
        usage = self.message(max_tokens=1).usage
        self.assertEqual(count.input_tokens, usage.input_tokens + usage.cache_read_input_tokens)

    def test_tools_need_a_template_that_knows_them(self):
        tools = [{"name": "weather", "description": "of a town", "input_schema": {"type": "object", "properties": {}}}]
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.message(tools=tools)  # the default model's does not
        self.assertIn("template knows no tools", str(caught.exception))
        self.assertEqual(self.message(tools=tools, tool_choice={"type": "none"}).stop_reason, "max_tokens")

    def test_errors_are_the_clients_own(self):
        with self.assertRaises(anthropic.BadRequestError) as caught:
            self.message(max_tokens=0)
        self.assertEqual(caught.exception.body["error"]["type"], "invalid_request_error")
        with self.assertRaises(anthropic.NotFoundError):
            self.message(model="claude")
        with self.assertRaises(anthropic.BadRequestError):
            self.message([{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "x"}}]}])


class AnthropicKeys(unittest.TestCase):
    def test_the_key_of_the_clients_header(self):
        with QuireServer(env={"QUIRE_API_KEY": "secret"}) as server:
            with client_of(server, "secret") as client:
                model = server.client(api_key="secret").models.list().data[0].id
                self.assertEqual(client.messages.create(model=model, max_tokens=1, messages=HELLO).usage.output_tokens, 1)
            with client_of(server, "wrong") as client, self.assertRaises(anthropic.AuthenticationError) as caught:
                client.messages.create(model=model, max_tokens=1, messages=HELLO)
            self.assertEqual(caught.exception.body["type"], "error")


if __name__ == "__main__":
    unittest.main()
