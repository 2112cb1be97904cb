"""What the tests share."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from server import SILENCE, Reply, Request, Server

SENT = {"message_id": "m1", "status": "queued"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine sets must not reach a test."""
    for name in ("BLOOIO_API_KEY", "BLOOIO_BASE_URL", "BLOOMCHATS_API_KEY", "BLOOMCHATS_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def _send_or_silence(request: Request) -> Reply:
    if request.target.startswith("/v2/api/silence"):
        return SILENCE
    if request.method == "POST":
        return (202, SENT)
    return (200, {"ok": True, "method": request.method, "target": request.target})


@pytest.fixture
def server() -> Iterator[Server]:
    """Takes v2 sends, echoes GETs, and never answers below `/silence`."""
    with Server(_send_or_silence) as running:
        yield running


@dataclass(frozen=True)
class Sandbox:
    url: str
    blooio_api_key: str
    bloomchats_api_key: str


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The services' stand-in, from the command that `BLOOMCHATS_BIN` names."""
    binary = os.environ.get("BLOOMCHATS_BIN")
    if not binary:
        if os.environ.get("CI"):
            pytest.fail("BLOOMCHATS_BIN is not set")
        pytest.skip("BLOOMCHATS_BIN is not set")
    command = [binary, "sandbox", "--json", "--port", "0", "--stop-on-stdin-close"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        yield Sandbox(facts["url"], facts["blooio_api_key"], facts["bloomchats_api_key"])
        assert process.stdin is not None
        process.stdin.close()
