"""What the tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from bloomchats.testing import Sandbox, SandboxError
from server import SILENCE, Reply, Request, Server

SENT = {"message_id": "m1", "status": "queued"}


def pytest_configure() -> None:
    """Shells start background jobs deaf to Ctrl-C: tests that run as one, and their children, must hear it all the same."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The services' stand-in, for tests that do not mind each other."""
    try:
        running = Sandbox()
    except SandboxError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with running:
        yield running
