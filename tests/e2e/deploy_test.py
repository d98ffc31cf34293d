"""What lies in deploy/ fits the server: Prometheus scrapes it, alerts and dashboard ask for what is there."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from quire_server import MODEL, PATIENCE_SECONDS, ROOT, QuireServer
from tls_test import make_certificate, trusting

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:vllm|quire):[a-z_0-9]+")


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    return done.returncode, done.stdout + done.stderr


def dashboard_queries():
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def uncommented(text, beginning):
    """`text`, in which the lines that begin so behind "# " are no comments."""
    found = re.subn(rf"^( *)# (?={re.escape(beginning)})", r"\1", text, flags=re.MULTILINE)
    assert found[1] > 0, beginning
    return found[0]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Prometheus:
    """The real one, with the configuration of deploy/ but for the target and the interval. By HTTPS with a certificate."""

    def __init__(self, target, folder, certificate=None):
        config = (DEPLOY / "prometheus.yml").read_text()
        if certificate:
            for line in ("scheme: ", "tls_config:", "  ca_file: "):
                config = uncommented(config, line)
            config = config.replace("/etc/prometheus/quire.pem", certificate)
        config = config.replace("127.0.0.1:8000", target).replace("scrape_interval: 5s", "scrape_interval: 100ms")
        pathlib.Path(folder, "prometheus.yml").write_text(config)
        shutil.copy(DEPLOY / "alerts.yml", folder)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def query(self, expression):
        address = self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)["data"]["result"]

    def wait_for(self, expression):
        """Until it has a value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if found := self.query(expression):
                    return found
            time.sleep(0.05)
        raise AssertionError(f"Prometheus never has {expression}")


class DeployTest(unittest.TestCase):
    def test_configuration_and_alerts_are_sound(self):
        code, output = promtool("check", "config", DEPLOY / "prometheus.yml")
        self.assertEqual(code, 0, output)
        code, output = promtool("test", "rules", ROOT / "tests" / "e2e" / "alerts_test.yml")
        self.assertEqual(code, 0, output)

    def test_prometheus_scrapes_what_alerts_and_dashboard_ask_for(self):
        with QuireServer() as server, server.client() as client, tempfile.TemporaryDirectory() as folder:
            with Prometheus("{}:{}".format(*server.address), folder) as prometheus:
                prometheus.wait_for('up{job="quire"} == 1')
                client.completions.create(model="", prompt="Once upon a time", max_tokens=8)
                choice = {"guided_choice": ["yes", "no"]}
                client.completions.create(model="", prompt="Yes or no?", max_tokens=4, extra_body=choice)
                prometheus.wait_for("quire:grammar_compile_seconds_count >= 1")
                prometheus.wait_for("vllm:generation_tokens_total >= 8")
                scraped = {row["metric"]["__name__"] for row in prometheus.query('{__name__=~"(vllm|quire):.+"}')}
                alerts = (DEPLOY / "alerts.yml").read_text()
                asked = set(METRIC.findall("\n".join([alerts, *dashboard_queries()])))
                self.assertLessEqual(asked, scraped)
                for query in dashboard_queries():
                    query = query.replace("$__rate_interval", "1m").replace("$instance", ".*")
                    found = prometheus.query(query)  # an error is an exception
                    self.assertTrue(found or "> 0" in query, query)  # what asks for more than none may have nothing
                rules = prometheus.url + "/api/v1/rules"
                with urllib.request.urlopen(rules, timeout=PATIENCE_SECONDS) as answer:
                    groups = json.load(answer)["data"]["groups"]
                self.assertEqual([], [rule for rule in groups[0]["rules"] if rule.get("lastError")])

    def test_prometheus_scrapes_by_https(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = make_certificate(folder)
            server = QuireServer("--ssl-certfile", certificate, "--ssl-keyfile", key, trust=trusting(certificate))
            with server, Prometheus("{}:{}".format(*server.address), folder, certificate) as prometheus:
                prometheus.wait_for('up{job="quire"} == 1')
                prometheus.wait_for("vllm:num_requests_running == 0")

    def test_a_service_manager_hears_when_the_server_is_ready_and_when_it_stops(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = os.path.join(folder, "notify")
            manager.bind(path)
            manager.settimeout(PATIENCE_SECONDS)
            with QuireServer(env={"NOTIFY_SOCKET": path}) as server:
                self.assertEqual(manager.recv(200).decode().splitlines()[0], "READY=1")
                with urllib.request.urlopen(server.url + "/ready", timeout=PATIENCE_SECONDS) as answer:
                    self.assertEqual(answer.status, 200)
            self.assertEqual(manager.recv(200).decode().splitlines()[0], "STOPPING=1")

    def test_the_configuration_is_sound(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder, "quire.yaml")
            config.write_text((DEPLOY / "quire.yaml").read_text().replace("/var/lib/quire/model.gguf", MODEL))
            with QuireServer("--config", str(config), model=None) as server, server.client() as client:
                self.assertEqual(client.models.list().data[0].id, pathlib.Path(MODEL).stem)

    def test_the_unit_is_sound(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze on this machine")
        text = (DEPLOY / "quire.service").read_text().replace("/usr/local/bin/quire", "/bin/true")
        for option in (None, "LoadCredential", "SupplementaryGroups"):  # that a comment offers
            with self.subTest(option=option), tempfile.TemporaryDirectory() as folder:
                unit = pathlib.Path(folder, "quire.service")
                unit.write_text(uncommented(text, option + "=") if option else text)
                done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True,
                                      timeout=PATIENCE_SECONDS)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_credentials_of_the_unit_are_those_of_the_configuration(self):
        handed_in = re.findall(r"^# LoadCredential=([^:]+):", (DEPLOY / "quire.service").read_text(), re.MULTILINE)
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = make_certificate(folder)
            pathlib.Path(certificate).rename(pathlib.Path(folder, "cert.pem"))
            pathlib.Path(key).rename(pathlib.Path(folder, "key.pem"))
            pathlib.Path(folder, "keys.yaml").write_text("keys: [{name: alice, key: sk-alice}]")
            text = (DEPLOY / "quire.yaml").read_text().replace("/var/lib/quire/model.gguf", MODEL)
            for flag in ("api-key-file: ", "ssl-certfile: ", "ssl-keyfile: "):
                text = uncommented(text, flag)
            self.assertEqual(set(re.findall(r"/run/credentials/quire.service/(\S+)", text)), set(handed_in))
            config = pathlib.Path(folder, "quire.yaml")
            config.write_text(text.replace("/run/credentials/quire.service", folder))
            trust = trusting(str(pathlib.Path(folder, "cert.pem")))
            with QuireServer("--config", str(config), model=None, trust=trust) as server:
                with server.client(api_key="sk-alice") as client:
                    self.assertTrue(client.models.list().data)


if __name__ == "__main__":
    unittest.main()
