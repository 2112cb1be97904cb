"""The vendors' own snippets, word for word, against the sandbox.

`seeds/` holds them as their pages print them; 003 and 004 only got back the line breaks their pages lost. The runner
replaces origin, key and `{messageId}`, and where a test says so the sample values that are no real ones. Needs curl,
node and requests; one that is missing skips its tests, except where CI is set.

    BLOOMCHATS_BIN=target/debug/bloomchats pytest tests/e2e
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
CHAT = "/v2/api/chats/%2B15551234567/messages"
TIMEOUT_S = 30


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body

    def is_(self, status):
        assert self.status == status, self.body
        return self.body


class Sandbox:
    """A sandbox process that ends with this one, and the ways to run a snippet against it."""

    def __init__(self, binary, home):
        command = [binary, "sandbox", "--json", "--port", "0", "--stop-on-stdin-close"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())
        self.url, self.home = self.ready["url"], home

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0
        self.process.stdout.close()

    def snippet(self, name, *replacements):
        text = (SEEDS / name).read_text()
        known = [
            ("https://backend.blooio.com", self.url),
            ("https://api.blooio.com", self.url),
            ("https://api.bloomchats.com", self.url),
            ("https://example.com/chats", f"{self.url}/v2/api/chats"),
            ("YOUR_API_KEY", self.ready["blooio_api_key"]),
            ("bl_live_...", self.ready["blooio_api_key"]),
            ("dmtb_live_abc123xyz789", self.ready["bloomchats_api_key"]),
        ]
        for old, new in known:
            text = text.replace(old, new)
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        return text

    def curl(self, text, *, header=None):
        """Runs a curl snippet; a header it does not print comes from curl's own configuration."""
        need(shutil.which("curl"), "curl")
        lines = ["silent", 'write-out = "\\n%{http_code}"'] + ([f'header = "{header}"'] if header else [])
        (self.home / ".curlrc").write_text("\n".join(lines) + "\n")
        output = self.run(["sh", "-c", text], CURL_HOME=str(self.home)).stdout
        body, _, status = output.rpartition("\n")
        return Answer(int(status), json.loads(body))

    def node(self, text):
        need(shutil.which("node"), "node")
        script = self.home / "snippet.mjs"
        script.write_text(text)
        done = self.run(["node", "--import", str(HERE / "node_fetch.mjs"), str(script)])
        answer = json.loads(done.stderr.splitlines()[-1])
        return Answer(answer["status"], answer["body"])

    def python(self, text):
        need(importlib.util.find_spec("requests"), "requests")
        script = self.home / "snippet.py"
        script.write_text(text)
        report = "import json, runpy, sys; res = runpy.run_path(sys.argv[1])['res']; print(json.dumps([res.status_code, res.json()]))"
        done = self.run([sys.executable, "-c", report, str(script)])
        return Answer(*json.loads(done.stdout.splitlines()[-1]))

    def run(self, command, **variables):
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        env = {**kept, "BLOOIO_API_KEY": self.ready["blooio_api_key"], **variables}
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True, env=env)

    def request(self, method, path, body):
        """A request of our own, for the state a snippet needs."""
        text = (
            f"curl -X {method} '{self.url}{path}' -H 'Authorization: Bearer {self.ready['blooio_api_key']}'"
            f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
        )
        return self.curl(text)


def need(found, tool):
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{tool} is not installed")


@pytest.fixture
def sandbox(tmp_path):
    binary = os.environ.get("BLOOMCHATS_BIN") or shutil.which("bloomchats")
    if not binary:
        pytest.fail("BLOOMCHATS_BIN does not name the built bloomchats command")
    running = Sandbox(binary, tmp_path)
    yield running
    running.stop()


def test_000_contacts(sandbox):
    body = sandbox.curl(sandbox.snippet("000-contacts.sh")).is_(200)
    assert len(body["data"]) > 100


@pytest.mark.parametrize("name", ["001-send.sh", "001-send.mjs", "001-send.py", "002-send.sh", "002-send.mjs", "002-send.py"])
def test_sends(sandbox, name):
    run = {".sh": sandbox.curl, ".mjs": sandbox.node, ".py": sandbox.python}[Path(name).suffix]
    body = run(sandbox.snippet(name)).is_(202)
    assert body["message_id"] and body["status"] == "queued"
    status = sandbox.curl(sandbox.snippet("001-status.sh", ("{messageId}", body["message_id"]))).is_(200)
    assert status["message_id"] == body["message_id"]


@pytest.mark.parametrize("name", ["001-webhook.sh", "002-webhook.sh"])
def test_webhooks(sandbox, name):
    assert sandbox.curl(sandbox.snippet(name)).is_(201)["signing_secret"].startswith("whsec_")


def test_002_me(sandbox):
    assert sandbox.curl(sandbox.snippet("002-me.sh")).is_(200)["valid"] is True


def test_002_chats(sandbox):
    assert sandbox.curl(sandbox.snippet("002-chats.sh")).is_(200)["pagination"]["offset"] == 50


def test_002_the_same_key_returns_the_first_answer(sandbox):
    first = sandbox.curl(sandbox.snippet("002-idempotent.sh")).is_(202)
    assert sandbox.curl(sandbox.snippet("002-idempotent.sh")).is_(200) == first


def test_003_as_written_is_refused(sandbox):
    """It names no key and sends nothing."""
    assert sandbox.curl(sandbox.snippet("003-send.sh")).is_(401)["error"] == "ApiError"
    key = f"Authorization: Bearer {sandbox.ready['blooio_api_key']}"
    assert sandbox.curl(sandbox.snippet("003-send.sh"), header=key).is_(400)["error"] == "ApiError"
    text = sandbox.snippet("003-send.sh", ("'{}'", '\'{"text": "Hello"}\''))
    sandbox.curl(text, header=key).is_(202)


def test_004_as_written_finds_no_chat(sandbox):
    assert sandbox.curl(sandbox.snippet("004-send.sh")).is_(404)["error"]["code"] == "not_found"


def test_004_with_real_values_sends(sandbox):
    first = sandbox.request("POST", "/v4/messages", {"to": "+15551234567", "text": "Hello"}).is_(201)
    text = sandbox.snippet(
        "004-send.sh",
        ("chat_a1b2c3d4", first["chat_id"]),
        ('"reply_to": "string"', f'"reply_to": "{first["id"]}"'),
        ('"effect": "string"', '"effect": "slam"'),
    )
    sent = sandbox.curl(text).is_(201)
    assert sent["chat_id"] == first["chat_id"] and sent["status"] == "queued"
    assert sandbox.curl(text).is_(200) == sent


def test_it_is_ready_at_once(sandbox):
    assert sandbox.ready["ready_ms"] < 200
