"""/v1/embeddings through the official client, which asks for base64 and decodes it."""

import array
import concurrent.futures
import math
import unittest

import openai
from quire_server import ServedTest


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


class Embeddings(ServedTest):
    flags = ("--pooling", "mean", "--max-num-batched-tokens", "64")

    def embed(self, texts, **options):
        return [entry.embedding for entry in self.client.embeddings.create(model=self.model, input=texts, **options).data]

    def test_base64_and_numbers_are_the_same(self):
        answer = self.client.embeddings.create(model=self.model, input=["Hello there.", "Good bye."])
        self.assertEqual([entry.index for entry in answer.data], [0, 1])
        self.assertEqual(len(answer.data[0].embedding), 576)
        self.assertEqual(answer.usage.prompt_tokens, answer.usage.total_tokens)
        numbers = self.embed(["Hello there.", "Good bye."], encoding_format="float")
        for decoded, plain in zip(answer.data, numbers):
            self.assertEqual(list(decoded.embedding), list(array.array("f", plain)))
            self.assertAlmostEqual(cosine(plain, plain), 1, 5)

    def test_alike_texts_are_near_each_other(self):
        cat, kitten, taxes = self.embed(["The cat sleeps on the sofa.", "A kitten is sleeping on the couch.",
                                         "Quarterly tax returns are due in April."])
        self.assertGreater(cosine(cat, kitten), cosine(cat, taxes))

    def test_dimensions_and_pooling(self):
        whole, = self.embed("Some words.")
        cut, = self.embed("Some words.", dimensions=16)
        scale = math.sqrt(sum(x * x for x in whole[:16]))
        for x, y in zip(cut, whole):
            self.assertAlmostEqual(x, y / scale, 5)
        last, = self.embed("Some words.", extra_body={"pooling": "last"})
        self.assertLess(cosine(last, whole), 0.999)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.embed("Some words.", dimensions=577)
        self.assertEqual(caught.exception.param, "dimensions")

    def test_the_same_vector_whoever_shares_the_batch(self):
        texts = [" ".join(f"word{i * j % 97}" for j in range(5 + 11 * i)) for i in range(12)]
        alone = [self.embed(text)[0] for text in texts]
        self.assertEqual(self.embed(texts), alone)
        with concurrent.futures.ThreadPoolExecutor(len(texts) + 2) as pool:
            chats = [pool.submit(self.client.completions.create, model=self.model, prompt="Once", max_tokens=60)
                     for _ in range(2)]
            together = list(pool.map(lambda text: self.embed(text)[0], texts))
            for chat in chats:
                chat.result()
        self.assertEqual(together, alone)


if __name__ == "__main__":
    unittest.main()
