"""Spans of real requests reach a collector: OTLP over HTTP in JSON, in the client's trace, and nothing of what was said."""

import http.server
import json
import threading
import time
import unittest
import urllib.request

from quire_server import PATIENCE_SECONDS, QuireServer

PROMPT = "An otter named Zanzibar"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"


class Collector:
    """Keeps the spans that are posted to it; refuses the first `refusals` posts with 503."""

    def __init__(self, refusals=0):
        self.spans, self.resources, self.bodies = [], [], []
        self.posts = 0
        self._changed = threading.Condition()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = collector.take(self.path, self.headers, body, refusals)
                self.send_response(503 if refused else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:{}".format(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body, refusals):
        with self._changed:
            self.posts += 1
            self._changed.notify_all()
            if self.posts <= refusals:
                return True
            assert path == "/v1/traces" and headers["Content-Type"] == "application/json", (path, headers)
            self.bodies.append(body)
            for resource in json.loads(body)["resourceSpans"]:
                self.resources.append(attributes(resource["resource"]))
                for scope in resource["scopeSpans"]:
                    self.spans += scope["spans"]
            return False

    def wait_for(self, done):
        with self._changed:
            if not self._changed.wait_for(lambda: done(self), PATIENCE_SECONDS):
                raise AssertionError(f"the collector has {self.posts} posts and {len(self.spans)} spans")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def attributes(owner):
    def value(of):
        if "arrayValue" in of:
            return [item["stringValue"] for item in of["arrayValue"]["values"]]
        return int(of["intValue"]) if "intValue" in of else next(iter(of.values()))

    return {row["key"]: value(row["value"]) for row in owner["attributes"]}


def times(span):
    return int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])


class TracingTest(unittest.TestCase):
    def check_parts(self, spans, parent):
        parts = [span for span in spans if span.get("parentSpanId") == parent["spanId"]]
        self.assertEqual([part["name"] for part in parts], ["queue", "prefill", "decode"])
        moments = [times(parent)[0], *[moment for part in parts for moment in times(part)], times(parent)[1]]
        self.assertEqual(moments, sorted(moments))
        self.assertEqual(times(parts[0])[1], times(parts[1])[0])
        self.assertEqual(times(parts[1])[1], times(parts[2])[0])
        for part in parts:
            self.assertEqual((part["traceId"], part["kind"]), (parent["traceId"], 1))

    def test_a_request_is_a_span_with_its_parts_in_the_clients_trace(self):
        with Collector(refusals=1) as collector:
            flags = ("--otlp-endpoint", collector.url, "--otlp-service-name", "otters")
            with QuireServer(*flags) as server, server.client() as client:
                before = time.time_ns()
                headers = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=1"}
                answer = client.chat.completions.create(
                    model="", messages=[{"role": "user", "content": PROMPT}], max_tokens=9, extra_headers=headers,
                    seed=3, temperature=0.5)
                stream = client.completions.create(model="", prompt=PROMPT, max_tokens=5, stream=True)
                self.assertTrue(list(stream))
                client.chat.completions.create(
                    model="", messages=[{"role": "user", "content": PROMPT}], max_tokens=2,
                    extra_headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})
                collector.wait_for(lambda it: len(it.spans) >= 8)
                after = time.time_ns()
                server.wait_for_metric("quire:spans_exported_total", lambda count: count == 8)  # after its answer
                self.assertEqual(server.metric("quire:spans_dropped_total"), 0)
            self.assertEqual(len(collector.spans), 8)  # of the two that are sampled
            chat = next(span for span in collector.spans if span["name"] == "POST /v1/chat/completions")
            self.assertEqual((chat["traceId"], chat["parentSpanId"]), (TRACE, CALLER))
            self.assertEqual((chat["traceState"], chat["kind"]), ("vendor=1", 2))
            self.assertTrue(before <= times(chat)[0] <= times(chat)[1] <= after)
            self.check_parts(collector.spans, chat)
            said = attributes(chat)
            expected = {
                "gen_ai.operation.name": "chat", "gen_ai.request.model": answer.model,
                "gen_ai.response.id": answer.id, "gen_ai.usage.input_tokens": answer.usage.prompt_tokens,
                "gen_ai.usage.output_tokens": answer.usage.completion_tokens, "gen_ai.request.max_tokens": 9,
                "gen_ai.response.finish_reasons": [answer.choices[0].finish_reason], "gen_ai.request.seed": 3,
                "gen_ai.request.temperature": 0.5, "http.response.status_code": 200,
                "http.route": "/v1/chat/completions"}
            self.assertEqual({name: said.get(name) for name in expected}, expected)
            text = next(span for span in collector.spans if span["name"] == "POST /v1/completions")
            self.assertNotIn("parentSpanId", text)
            self.assertNotEqual(text["traceId"], TRACE)
            self.check_parts(collector.spans, text)
            self.assertEqual(attributes(text)["gen_ai.usage.output_tokens"], 5)
            self.assertEqual(collector.resources[0]["service.name"], "otters")
            everything = b"".join(collector.bodies)
            for secret in ("Zanzibar", answer.choices[0].message.content.strip()[:20]):
                self.assertNotIn(secret.encode(), everything)

    def test_refused_requests_and_the_end_of_the_server(self):
        with Collector() as collector:
            env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "by-environment"}
            with QuireServer("--api-key", "k", env=env) as server:
                request = urllib.request.Request(
                    server.url + "/v1/completions", b'{"prompt": "x"}', {"Content-Type": "application/json"})
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
                refused.exception.close()
                with urllib.request.urlopen(server.url + "/live", timeout=PATIENCE_SECONDS) as live:
                    self.assertEqual(live.status, 200)
            # What waited was sent when the server ended.
            self.assertEqual([span["name"] for span in collector.spans], ["POST /v1/completions"])
            self.assertEqual(attributes(collector.spans[0])["error.type"], "401")
            self.assertNotIn("status", collector.spans[0])
            self.assertEqual(collector.resources[0]["service.name"], "by-environment")

    def test_no_collector_costs_no_request(self):
        with Collector() as gone:
            url = gone.url
        with QuireServer("--otlp-endpoint", url) as server, server.client() as client:
            for _ in range(3):
                client.completions.create(model="", prompt=PROMPT, max_tokens=1)
        self.assertTrue(any("spans are dropped" in line for line in server.log), server.log)


if __name__ == "__main__":
    unittest.main()
