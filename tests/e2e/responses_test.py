"""/v1/responses through the official client."""

import json
import unittest

import openai
from quire_server import QuireServer, ServedTest


class Responses(ServedTest):
    def respond(self, said="Say hello.", **options):
        options = {"model": self.model, "max_output_tokens": 12, "temperature": 0} | options
        return self.client.responses.create(input=said, **options)

    def test_the_answer_of_a_chat_completion(self):
        answer = self.respond(instructions="You are a parrot.", metadata={"from": "a test"})
        chat = self.chat_with([{"role": "system", "content": "You are a parrot."},
                               {"role": "user", "content": "Say hello."}])
        self.assertEqual(answer.output_text, chat.choices[0].message.content)
        self.assertEqual(answer.status, "incomplete")
        self.assertEqual(answer.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(answer.usage.input_tokens, chat.usage.prompt_tokens)
        self.assertEqual(answer.usage.output_tokens, 12)
        self.assertEqual(answer.metadata, {"from": "a test"})

    def chat_with(self, messages):
        return self.client.chat.completions.create(model=self.model, max_tokens=12, temperature=0, messages=messages)

    def test_a_stream_is_the_same_response(self):
        whole = self.respond(max_output_tokens=100)
        with self.client.responses.stream(model=self.model, input="Say hello.", temperature=0,
                                          max_output_tokens=100) as stream:
            events = list(stream)
            final = stream.get_final_response()
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertEqual(text, whole.output_text)
        self.assertEqual(final.output_text, whole.output_text)
        self.assertEqual([event.sequence_number for event in events if hasattr(event, "sequence_number")],
                         sorted(event.sequence_number for event in events if hasattr(event, "sequence_number")))
        self.assertEqual(events[0].type, "response.created")
        self.assertEqual(events[-1].type, "response.completed" if whole.status == "completed" else "response.incomplete")

    def test_a_conversation_goes_on(self):
        first = self.respond("My name is Ada.")
        second = self.respond("What is my name?", previous_response_id=first.id)
        chat = self.chat_with([{"role": "user", "content": "My name is Ada."},
                               {"role": "assistant", "content": first.output_text},
                               {"role": "user", "content": "What is my name?"}])
        self.assertEqual(second.output_text, chat.choices[0].message.content)
        self.assertEqual(second.usage.input_tokens, chat.usage.prompt_tokens)
        self.assertEqual(self.client.responses.retrieve(first.id).output_text, first.output_text)
        items = self.client.responses.input_items.list(first.id).data
        self.assertEqual(items[0].content[0].text, "My name is Ada.")
        self.client.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.retrieve(first.id)
        with self.assertRaises(openai.NotFoundError) as caught:
            self.respond("And now?", previous_response_id=first.id)
        self.assertEqual(caught.exception.param, "previous_response_id")

    def test_the_output_can_be_sent_back_as_input(self):
        first = self.respond("One, two,")
        answer = self.respond([{"role": "user", "content": "One, two,"}, *first.output,
                               {"role": "user", "content": "Go on."}])
        again = self.respond("Go on.", previous_response_id=first.id)
        self.assertEqual(answer.output_text, again.output_text)

    def test_text_by_a_schema(self):
        schema = {"type": "object", "properties": {"legs": {"type": "integer", "minimum": 0, "maximum": 9}},
                  "required": ["legs"], "additionalProperties": False}
        text = {"format": {"type": "json_schema", "name": "animal", "schema": schema, "strict": True}}
        answer = self.respond("A cat.", text=text, max_output_tokens=60)
        self.assertEqual(answer.status, "completed")
        self.assertIn(json.loads(answer.output_text)["legs"], range(10))
        self.assertEqual(answer.text.format.name, "animal")
        free = self.respond("A cat.", text={"format": {"type": "json_object"}}, max_output_tokens=12)
        self.assertTrue(free.output_text.startswith("{"), free.output_text)

    def test_what_is_not_supported_is_said(self):
        for options in ({"background": True}, {"truncation": "auto"}, {"include": ["file_search_call.results"]},
                        {"text": {"format": {"type": "json"}}},
                        {"tools": [{"type": "function", "name": "f", "parameters": {}}]}):  # its template knows none
            with self.assertRaises(openai.BadRequestError) as caught:
                self.respond(**options)
            self.assertEqual(caught.exception.param, next(iter(options)))


class Tenants(unittest.TestCase):
    def test_each_key_sees_its_own(self):
        with QuireServer(env={"QUIRE_API_KEY": "one,two"}) as server:
            with server.client(api_key="one") as one, server.client(api_key="two") as two:
                model = one.models.list().data[0].id
                answer = one.responses.create(model=model, input="Hello.", max_output_tokens=1)
                self.assertEqual(one.responses.retrieve(answer.id).id, answer.id)
                for refused in (lambda: two.responses.retrieve(answer.id), lambda: two.responses.delete(answer.id),
                                lambda: two.responses.create(model=model, input="x", previous_response_id=answer.id)):
                    with self.assertRaises(openai.NotFoundError):
                        refused()


if __name__ == "__main__":
    unittest.main()
