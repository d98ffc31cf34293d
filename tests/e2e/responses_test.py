"""/v1/responses through the official client."""

import json
import time
import unittest

import openai
from quire_server import PATIENCE_SECONDS, QuireServer, ServedTest


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
        count = self.client.responses.input_tokens.count(
            model=self.model, input="Say hello.", instructions="You are a parrot.")
        self.assertEqual(count.input_tokens, answer.usage.input_tokens)

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

    def test_dumped_output_and_references_are_the_same(self):
        first = self.respond("One, two,")
        asked = self.client.responses.input_items.list(first.id).data[0].id
        begun = [{"type": "item_reference", "id": asked}]
        said = [{"type": "item_reference", "id": first.output[0].id}]
        dumped = [item.model_dump() for item in first.output]
        rest = [{"role": "user", "content": "Go on."}]
        answers = [self.respond([*begun, *output, *rest]) for output in (said, dumped)]
        self.assertEqual(answers[0].output_text, answers[1].output_text)
        self.assertEqual(answers[0].usage.input_tokens, answers[1].usage.input_tokens)
        newest = self.client.responses.input_items.list(answers[0].id, limit=1)
        self.assertEqual([item.content[0].text for item in newest], ["Go on.", first.output_text, "One, two,"])
        self.assertTrue(newest.has_more)
        oldest = self.client.responses.input_items.list(answers[0].id, order="asc").data
        self.assertEqual([item.id for item in oldest][:2], [asked, first.output[0].id])

    def test_logprobs_are_those_of_the_chat(self):
        answer = self.respond(include=["message.output_text.logprobs", "reasoning.encrypted_content"], top_logprobs=2)
        chat = self.client.chat.completions.create(model=self.model, max_tokens=12, temperature=0, logprobs=True,
                                                   top_logprobs=2, messages=[{"role": "user", "content": "Say hello."}])
        tokens = answer.output[0].content[0].logprobs
        self.assertEqual([token.model_dump() for token in tokens],
                         [token.model_dump() for token in chat.choices[0].logprobs.content])

    def test_what_is_too_old_is_left_out(self):
        turns = []
        for i in range(120):
            turns += [{"role": "user", "content": f"{i}: " + "word " * 100}, {"role": "assistant", "content": "Yes."}]
        turns.append({"role": "user", "content": "Say hello."})
        with self.assertRaises(openai.BadRequestError) as caught:
            self.respond(turns)
        self.assertEqual(caught.exception.code, "context_length_exceeded")
        answer = self.respond(turns, truncation="auto", instructions="You are a parrot.")
        self.assertEqual(answer.truncation, "auto")
        model = next(iter(self.client.models.list()))
        self.assertLessEqual(answer.usage.input_tokens + 12, model.max_model_len)

    def wait_for(self, response):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while response.status in ("queued", "in_progress"):
            self.assertLess(time.monotonic(), deadline)
            response = self.client.responses.retrieve(response.id)
        return response

    def test_in_the_background(self):
        begun = self.respond(background=True)
        self.assertEqual(begun.status, "queued")
        self.assertTrue(begun.background)
        done = self.wait_for(begun)
        self.assertEqual(done.status, "incomplete")
        self.assertEqual(done.output_text, self.respond().output_text)
        self.assertEqual(self.respond("And again.", previous_response_id=done.id).status, "incomplete")
        self.assertEqual(self.client.responses.cancel(done.id).status, "incomplete")  # it has ended
        waited = self.respond()
        with self.assertRaises(openai.BadRequestError):
            self.client.responses.cancel(waited.id)

    def test_what_is_cancelled_or_deleted_ends(self):
        runs = [self.respond("Tell me a long story.", background=True, max_output_tokens=4000) for _ in range(2)]
        cancelled = self.client.responses.cancel(runs[0].id)
        self.assertEqual(cancelled.status, "cancelled")
        self.assertEqual(self.client.responses.retrieve(runs[0].id).status, "cancelled")
        self.client.responses.delete(runs[1].id)
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.retrieve(runs[1].id)
        self.server.wait_for_baseline()

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
        for options in ({"background": True, "store": False}, {"background": True, "stream": True}, {"truncation": "newest"}, {"include": ["everything"]},
                        {"prompt": {"id": "p"}}, {"conversation": "c"}, {"service_tier": "best"},
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
