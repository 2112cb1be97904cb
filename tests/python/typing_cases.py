"""What type checkers must understand; checked, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import bloomchats
from bloomchats import AsyncBlooio, AsyncPage, Blooio, BloomChats, Page, Response, v2, v4, webhooks
from bloomchats.testing import AsyncSandbox, Happening, Received, Sandbox, scripted

if TYPE_CHECKING:
    from typing_extensions import assert_type


def sends(blooio: Blooio) -> None:
    assert_type(blooio.v2.messages.send("+1", text="a"), v2.SendMessageResponse)
    assert_type(blooio.v2.messages.send("+1", text=["a", "b"], effect=None).message_ids, list[str])
    preview: v2.LinkPreviewInput = {"title": "a"}
    blooio.v2.messages.send("+1", text="a", link_preview=preview, timeout=2, headers={"x": "y"})
    result = blooio.v4.messages.send(to={"contact_id": "con_1"}, text="a")
    assert_type(result, v4.MessageSendResult | v4.FanOutResult)
    assert_type(result.message_ids, list[str])
    blooio.v2.messages.send("+1", text=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    blooio.v2.messages.send("+1", txt="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    blooio.v2.messages.send()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    blooio.v2.messages.send("+1", text="a", timeout="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def reads(blooio: Blooio) -> None:
    for contact in blooio.v2.contacts.list():
        assert_type(contact, v2.Contact)
        assert_type(contact.contact_id, str | None)
        contact.contact_id = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    for page in blooio.v4.chats.list().pages():
        assert_type(page, Page[v4.Chat])
    goal: v2.AwaitedStatus = "read"
    assert_type(blooio.v2.messages.wait("+1", "m1", until=goal), v2.MessageStatus)
    blooio.v4.messages.wait("chat_1", "m1", until="of-a-later-version")
    blooio.v2.messages.wait("+1", "m1", until=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def responses(blooio: Blooio) -> None:
    response = blooio.v2.messages.with_response.send("+1", text="a")
    assert_type(response, Response[v2.SendMessageResponse])
    assert_type(response.value.message_id, str | None)
    assert_type(blooio.v2.contacts.with_response.list(), Response[Page[v2.Contact]])
    blooio.v2.messages.with_response.send("+1", txt="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def asynchronous(blooio: AsyncBlooio) -> None:
    assert_type(await blooio.v2.messages.send("+1", text="a"), v2.SendMessageResponse)
    assert_type(await blooio.v2.messages.with_response.send("+1", text="a"), Response[v2.SendMessageResponse])
    assert_type(await blooio.v2.contacts.with_response.list(), Response[AsyncPage[v2.Contact]])
    async for contact in blooio.v2.contacts.list():
        assert_type(contact, v2.Contact)


def sandboxes(sandbox: Sandbox) -> None:
    assert_type(sandbox.blooio(timeout=5), Blooio)
    assert_type(sandbox.phone("+1").inbox, list[Received])
    assert_type(sandbox.phone("+1").write("a", group="g"), Happening)
    sandbox.faults.add({"action": "status", "status": 503, "times": None})
    sandbox.faults.add("dorp")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sandbox.blooio(timeuot=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    sandbox.set_limit("v3", 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous_sandboxes() -> None:
    async with Sandbox(seed=7) as sandbox:
        assert_type(sandbox, AsyncSandbox)
        assert_type(sandbox.blooio(), AsyncBlooio)
        assert_type(await sandbox.phone("+1").inbox(), list[Received])
        assert_type(await sandbox.phone("+1").write("a", group="g"), Happening)
        await sandbox.clock.advance("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def events(event: webhooks.WebhookEvent) -> str | None:
    match event:
        case v2.MessageReceived():
            assert_type(event.data, v2.MessageReceivedEvent)
            return event.data.message_id
        case v4.MessageReceived():
            assert_type(event.data, v4.MessageEventData)
            return event.id
        case _:
            return event.type


def deliveries(body: bytes, headers: Mapping[str, str]) -> None:
    assert_type(webhooks.verify(body, headers, "whsec_a"), webhooks.WebhookEvent)
    webhooks.verify(body, headers.get("X-Blooio-Signature"), ["whsec_a", "whsec_b"])
    webhooks.verify(body, body, "whsec_a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def names() -> None:
    bloomchats.Blooo  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert_type(bloomchats.RateLimitError("x").retry_after, float | None)


def keys(later: Callable[[], Awaitable[str]]) -> None:
    Blooio(api_key=lambda: "k", timeout=5)
    Blooio(plan="pro", v4_send_body="flat")
    Blooio(plan={"per_minute": 60})
    Blooio(plan="free")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncBlooio(api_key=later)
    BloomChats(api_key=later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(scripted(Blooio, []).requests[0]["url"], str)
    assert_type(scripted(Blooio, []).left, int)
