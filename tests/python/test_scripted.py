"""Clients that stand in for others: scripted ones, and those whose methods a test replaces."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bloomchats import AsyncBlooio, Blooio, v2
from bloomchats.testing import ScriptedAsyncBlooio, ScriptedBlooio, scripted

SENT = {"status": 202, "json": {"message_id": "m1"}}


class Greeter(Blooio):
    def __init__(self, *, name: str = "you", **settings: Any) -> None:
        super().__init__(**settings)
        self.name = name

    def greet(self) -> None:
        self.v2.messages.send("+15551234567", text=f"Hello {self.name}")


class AsyncGreeter(AsyncBlooio):
    async def greet(self) -> None:
        await self.v2.messages.send("+15551234567", text="Hello")


def test_a_class_of_ones_own_is_scripted_like_its_base() -> None:
    client: Any = scripted(Greeter, [SENT], name="Jane")  # type: ignore[call-overload]  # pyright: ignore
    assert isinstance(client, Greeter) and isinstance(client, ScriptedBlooio)
    client.greet()
    assert client.requests[0]["body"] == '{"text":"Hello Jane"}'

    later: Any = scripted(AsyncGreeter, [SENT])
    assert isinstance(later, AsyncGreeter) and isinstance(later, ScriptedAsyncBlooio)
    asyncio.run(later.greet())
    assert len(later.requests) == 1

    for wrong in (dict, Blooio(api_key="k"), None):
        with pytest.raises(TypeError, match="^client: expected a class like Blooio"):
            scripted(wrong, [])  # type: ignore[call-overload]  # pyright: ignore


def test_a_body_that_is_no_text_is_none() -> None:
    answer: dict[str, Any] = {"status": 200, "json": {}}
    client = scripted(Blooio, [answer, answer])
    client.v2.groups.set_icon("grp_1", icon=b"\xff\xd8\xff")
    client.v2.me.get()
    upload, read = client.requests
    assert upload["body"] is None and b"\xff\xd8\xff" in bytes.fromhex(upload["body_base16"])
    assert read["body"] == ""


def test_what_is_left_of_a_transcript() -> None:
    client = scripted(Blooio, [{"status": 503}, SENT, SENT])
    assert client.left == 3
    client.v2.messages.send("+15551234567", text="x")
    assert client.left == 1


def _send(*_: Any, **__: Any) -> v2.SendMessageResponse:
    return v2.SendMessageResponse({"message_id": "m2"})


def test_methods_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(Blooio, [SENT])
    with monkeypatch.context() as patch:
        patch.setattr(client.v2.messages, "send", _send)
        assert client.v2.messages.send("+15551234567", text="x").message_id == "m2"
    assert client.v2.messages.send("+15551234567", text="x").message_id == "m1"
