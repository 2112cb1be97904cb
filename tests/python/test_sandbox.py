"""The main job against the sandbox, over real HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bloomchats import (
    AsyncBlooio,
    AuthenticationError,
    BloomChats,
    Blooio,
    ConflictError,
    RateLimitError,
    new_idempotency_key,
    v4,
    webhooks,
)
from bloomchats.testing import Sandbox

PERSON = "+15551234567"


@pytest.fixture
def blooio(sandbox: Sandbox) -> Iterator[Blooio]:
    with Blooio(api_key=sandbox.blooio_api_key, base_url=sandbox.url) as client:
        yield client


def test_contacts(sandbox: Sandbox) -> None:
    with BloomChats(api_key=sandbox.bloomchats_api_key, base_url=sandbox.url) as bloomchats:
        contacts = list(bloomchats.contacts.list())
    assert len(contacts) > 100
    assert contacts[0].raw


def test_a_message_is_delivered_and_its_webhooks_verify(blooio: Blooio) -> None:
    arrived: list[tuple[bytes, str | None]] = []
    delivered = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            arrived.append((body, self.headers["x-blooio-signature"]))
            self.send_response(200)
            self.end_headers()
            if b"message.delivered" in body:
                delivered.set()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        hook = blooio.v2.webhooks.create(webhook_url=f"http://127.0.0.1:{receiver.server_port}/", webhook_type="message")
        secret = hook.raw["signing_secret"]
        sent = blooio.v2.messages.send(PERSON, text="Hello")
        assert blooio.v2.messages.wait(PERSON, sent, timeout=20).status == "delivered"
        assert delivered.wait(10)
        receiver.shutdown()
    kinds = [webhooks.verify(body, signature, secret).type for body, signature in arrived]
    assert "message.sent" in kinds and "message.delivered" in kinds


def test_v4_previews_sends_and_replays(blooio: Blooio) -> None:
    key = new_idempotency_key()
    preview = blooio.v4.messages.send(to=PERSON, text="Hello", dry_run=True)
    assert isinstance(preview, v4.MessageSendResult) and preview.would_send
    sent = blooio.v4.messages.with_response.send(to=PERSON, text="Hello", idempotency_key=key)
    again = blooio.v4.messages.with_response.send(to=PERSON, text="Hello", idempotency_key=key)
    assert sent.value.message_id == again.value.message_id
    with pytest.raises(ConflictError):
        blooio.v4.messages.send(to=PERSON, text="Another", idempotency_key=key)


def test_wrong_keys_and_limits_are_typed(sandbox: Sandbox) -> None:
    with pytest.raises(AuthenticationError) as refused:
        Blooio(api_key="bl_wrong", base_url=sandbox.url).v2.me.get()
    assert refused.value.status == 401
    sandbox.set_limit("v2", 1)
    try:
        with pytest.raises(RateLimitError) as limited:
            for _ in range(3):
                # A client of its own each time: one that was told "0 remaining" would rather wait.
                Blooio(api_key=sandbox.blooio_api_key, base_url=sandbox.url, max_retries=0).v2.me.get()
        assert limited.value.retry_after is not None
    finally:
        sandbox.set_limit("v2", None)


def test_asynchronously(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with AsyncBlooio(api_key=sandbox.blooio_api_key, base_url=sandbox.url) as client:
            sent = await client.v2.messages.send(PERSON, text="Hello")
            assert (await client.v2.messages.wait(PERSON, sent, timeout=20)).status == "delivered"
            assert len([chat async for chat in client.v2.chats.list(limit=20)]) > 20

    asyncio.run(main())


def test_the_quickstart(sandbox: Sandbox) -> None:
    script = Path(__file__).parents[2] / "examples/quickstart.py"
    done = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **sandbox.environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "is delivered" in done.stdout and "NotFoundError" in done.stdout
