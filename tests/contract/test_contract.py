"""Every operation of every contract against the sandbox, with generated arguments, right and wrong ones.

`cargo xtask test --only python` runs this; alone: `BLOOMCHATS_BIN=… pytest tests/contract`. The same examples come every
time. `EXAMPLES=200` looks further.
"""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

SPEC = Path(__file__).parents[2] / "spec"
OVERLAY = tomllib.loads((SPEC / "overlay.toml").read_text())
EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
PREFIXES = {"blooio-v2": "/v2/api", "blooio-v4": "/v4", "bloomchats": "/api", "sandbox": ""}


class Sandbox:
    """A running `bloomchats sandbox`, and ids of things in it."""

    def __init__(self) -> None:
        command = [os.environ["BLOOMCHATS_BIN"], "sandbox", "--port", "0", "--json", "--stop-on-stdin-close"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        facts = json.loads(self.process.stdout.readline())
        self.url = facts["url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {facts['blooio_api_key']}"
        self.session.headers["X-API-Key"] = facts["bloomchats_api_key"]

    def post(self, path: str, body: Any) -> Any:
        answer = self.session.post(self.url + path, json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def known(self, prefix: str) -> dict[str, list[str]]:
        """A world as it was made, and arguments that mean something in it, so that requests get further than 404."""
        self.post("/_sandbox/reset", {})
        person = "+15551234567"
        own = "+12025550101"
        sent = self.post("/v4/messages", {"to": person, "text": "Hello", "from": own})
        poll = self.post("/v4/messages", {"to": person, "poll": {"title": "When?", "options": ["a", "b"]}})
        group = self.post("/v4/messages", {"to": [person, "a@example.com"], "text": "Hello"})
        anywhere = {
            "channel_id": [sent["channel_id"]],
            "contact_id": [person],
            "forward_to": [person],
            "from_number": [own],
            "handle": ["+13125551000"],
            "identifier": [person, "new@example.com"],
            "number": [own, person],
            "reaction": ["+love", "-love"],
            "tag": ["vip"],
            "to": [person, "a@example.com", "new@example.com"],
        }
        if prefix == "/v2/api":
            hook = self.post("/v2/api/webhooks", {"webhook_url": "https://example.com/v2", "webhook_type": "all"})
            shown = self.session.get(f"{self.url}/v2/api/chats/%2B15551234567/messages", timeout=5).json()
            messages = [row["message_id"] for row in shown["messages"]]
            return {
                **anywhere,
                "chatId": [person, group["group_id"], f"{person},a@example.com"],
                "contactId": [person, "a@example.com"],
                "groupId": [group["group_id"]],
                "messageId": [*messages, "-1"],
                "pollId": messages,
                "webhookId": [hook["webhook_id"]],
            }
        if prefix == "/v4":
            hook = self.post("/v4/webhooks", {"url": "https://example.com/v4"})
            priority = self.post("/v4/priorities", {"channels": [sent["channel_id"]], "is_default": False})
            contact = self.session.get(f"{self.url}/v4/contacts?identifier=%2B15551234567", timeout=5).json()["data"][0]
            event = self.session.get(f"{self.url}/v4/events", timeout=5).json()["data"][0]
            return {
                **anywhere,
                "channel": [sent["channel_id"], own, "alerts"],
                "chatId": [sent["chat_id"], group["chat_id"]],
                "contactId": [contact["id"]],
                "eventId": [event["id"]],
                "groupId": [group["group_id"]],
                "identityId": [contact["identities"][0]["id"]],
                "messageId": [sent["id"], group["id"]],
                "pollId": [poll["id"]],
                "priorityId": [priority["data"]["id"]],
                "source_contact_id": [self.session.get(f"{self.url}/v4/contacts", timeout=5).json()["data"][3]["id"]],
                "webhookId": [hook["data"]["id"]],
            }
        return anywhere

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def load(name: str) -> dict[str, Any]:
    """A contract with what the rest of the project holds answers to as well: the fields an emulator must fill, and the
    statuses every operation may answer with, in the API's error shape."""
    document = yaml.safe_load((SPEC / f"{name}.openapi.yaml").read_text())
    require_emulated(document)
    if name == "sandbox":
        return document
    shapes = {status: "Error" for status in OVERLAY["undeclared"]["statuses"]} | {405: "Error"}
    if name == "blooio-v4":
        shapes[401] = "AuthError"
    for methods in document["paths"].values():
        for operation in methods.values():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            for status, shape in shapes.items():
                schema = {"$ref": f"#/components/schemas/{shape}"}
                answer = {"description": "Undeclared", "content": {"application/json": {"schema": schema}}}
                operation["responses"].setdefault(str(status), answer)
    return document


def require_emulated(node: Any) -> None:
    if isinstance(node, dict):
        if emulated := node.get("x-emulator-required"):
            node["required"] = sorted({*node.get("required", []), *emulated})
        for child in node.values():
            require_emulated(child)
    elif isinstance(node, list):
        for child in node:
            require_emulated(child)


def no_accident(_: CheckContext, response: Response, case: Case) -> None:
    """The sandbox refuses with 501, 502 and 503 on purpose, and with no other status beyond 500."""
    assert response.status_code < 500 or response.status_code in (501, 502, 503), response.text


CHECKS = [
    no_accident,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    running = Sandbox()
    yield running
    running.stop()


def encoded(value: str) -> str:
    return quote(value, safe="")


def operations() -> Iterator[Any]:
    for name, prefix in PREFIXES.items():
        for result in schemathesis.openapi.from_dict(load(name)).get_all_operations():
            operation = result.ok()
            yield pytest.param(prefix, operation, id=f"{operation.method.upper()} {prefix}{operation.path}")


@pytest.mark.parametrize(("prefix", "operation"), list(operations()))
def test_answers_keep_the_contract(sandbox: Sandbox, prefix: str, operation: Any) -> None:
    known = sandbox.known(prefix)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(MODES))
        case: Case = data.draw(operation.as_strategy(mode))
        body = case.body if isinstance(case.body, dict) else {}
        for arguments, spelled in ((case.path_parameters, encoded), (body, str)):
            for name in arguments:
                if name in known and data.draw(st.integers(0, 4)):
                    arguments[name] = spelled(data.draw(st.sampled_from(known[name])))
        case.call_and_validate(
            base_url=sandbox.url + prefix, session=sandbox.session, checks=CHECKS, timeout=10, allow_redirects=False
        )

    run()
