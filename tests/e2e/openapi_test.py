"""The API's description: valid by OpenAPI's own rules, and the same from every server."""

import json
import unittest
import urllib.request

import openapi_spec_validator

from quire_server import ServedTest


class OpenApiTest(ServedTest):
    def description(self):
        with urllib.request.urlopen(self.server.url + "/openapi.json", timeout=60) as answer:
            self.assertEqual(answer.headers["Content-Type"], "application/json")
            return json.load(answer)

    def test_is_valid(self):
        openapi_spec_validator.validate(self.description())

    def test_documents_the_errors_of_generating(self):
        responses = self.description()["paths"]["/v1/chat/completions"]["post"]["responses"]
        expected = ["200", "400", "401", "403", "404", "408", "413", "415", "417", "429", "431", "500", "503"]
        self.assertEqual(sorted(responses), expected)


if __name__ == "__main__":
    unittest.main()
