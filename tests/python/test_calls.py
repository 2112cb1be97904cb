"""The public surface over real sockets, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import json
import threading
import tracemalloc
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from bloomchats import (
    NOT_GIVEN,
    AsyncBlooio,
    Blooio,
    ConfigError,
    InvalidArgumentError,
    NotFoundError,
    new_idempotency_key,
    to_datetime,
)
from bloomchats.testing import scripted
from server import Request, Server

PERSON = "+15551234567"
OK: dict[str, Any] = {"status": 200, "json": {}}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 16


def test_a_send_goes_out_as_written(server: Server) -> None:
    with Blooio(api_key="bl_key", base_url=server.url, user_agent="shop/1") as blooio:
        sent = blooio.v2.messages.send(PERSON, text="Hello", share_contact=NOT_GIVEN, timeout=5, headers={"X-Trace": "7"})
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/v2/api/chats/%2B15551234567/messages")
    assert request.body == b'{"text":"Hello"}'
    assert request.headers["authorization"] == "Bearer bl_key"
    assert request.headers["x-trace"] == "7"
    assert request.headers["user-agent"].startswith("bloomchats-python/")
    assert request.headers["user-agent"].endswith(" shop/1")
    assert len(request.headers["idempotency-key"]) == 36
    assert (sent.message_id, sent.message_ids, sent.status) == ("m1", ["m1"], "queued")


def test_the_same_send_asynchronously(server: Server) -> None:
    async def main() -> None:
        async with AsyncBlooio(api_key="bl_key", base_url=server.url) as blooio:
            sent = await blooio.v2.messages.send(PERSON, text="Hello")
            assert sent.message_ids == ["m1"]
            response = await blooio.v2.messages.with_response.send(PERSON, text="Hello", idempotency_key="mine")
            assert (response.status, response.attempts, response.idempotency_key) == (202, 1, "mine")
            assert response.headers["content-type"] == "application/json"
            assert response.value == sent

    asyncio.run(main())
    assert server.requests[0].body == b'{"text":"Hello"}'


def test_anything_undocumented(server: Server) -> None:
    with Blooio(api_key="k", base_url=server.url) as blooio:
        told = blooio.v2.request("GET", "/some/path", query={"limit": 5, "deep": True})
        assert told["target"] == "/v2/api/some/path?deep=true&limit=5"
        assert blooio.v4.with_response.request("GET", "/x").value["target"] == "/v4/x"
        with pytest.raises(InvalidArgumentError, match="relative"):
            blooio.v2.request("GET", "/v2/api/chats")


def test_a_closed_client_says_so(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    blooio.v2.request("GET", "/x")
    server.wait_for_connections(1)
    blooio.close()
    with pytest.raises(ConfigError, match="closed"):
        blooio.v2.request("GET", "/x")
    server.wait_for_connections(0)


def test_threads_share_a_client(server: Server) -> None:
    with Blooio(api_key="k", base_url=server.url) as blooio:
        ids: list[Any] = []
        send = lambda: ids.append(blooio.v2.messages.send(PERSON, text="x").message_id)  # noqa: E731
        threads = [threading.Thread(target=send) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert ids == ["m1"] * 16
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 16


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({1, 2}, "holds a set"),
        (float("nan"), "NaN"),
        (to_datetime(0), "holds a date"),
        (b"x", "holds a bytes"),
        ([NOT_GIVEN], "NOT_GIVEN"),
        ("\ud800", "surrogate"),
        (5, "expected"),
        (None, "null"),
    ],
)
def test_what_cannot_be_sent_names_its_argument(value: Any, says: str) -> None:
    client = scripted(Blooio, [])
    with pytest.raises(InvalidArgumentError, match=says) as caught:
        client.v2.messages.send(PERSON, text=value)
    assert caught.value.argument is not None and caught.value.argument.startswith("text")
    assert client.requests == []


PLAIN: list[Any] = [
    None, True, 0, -(2**63), 2**63, 2**64 - 1, 0.1, -0.0, "", "\x00\x1f\x7f\u2028", "J\u00e4ne \U0001f600", [], {},
    {"b": [1, {"a": None}], "a": "x", "\u00e4": [[], {}]}, json.loads('{"down":[' * 40 + "0" + "]}" * 40),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:20])
def test_arguments_are_the_same_bytes_whether_core_reads_them_or_their_json(value: Any) -> None:
    sent: list[str] = []
    # Core reads a dictionary where it lies; another mapping is written down for it.
    for body in ({"v": value}, MappingProxyType({"v": value})):
        client = scripted(Blooio, [OK])
        client.v2.request("POST", "/x", body=body)
        sent.append(client.requests[0]["body"] or "")
    assert sent[0] == sent[1] and json.loads(sent[0]) == {"v": value}


def test_an_argument_that_holds_itself() -> None:
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(InvalidArgumentError) as caught:
        scripted(Blooio, []).v2.messages.send(PERSON, attachments=knot)
    assert caught.value.argument == "attachments"


def test_a_misspelt_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"^blooio\.v2\.messages\.send\(\) got an unexpected keyword argument 'txt'$"):
        scripted(Blooio, []).v2.messages.send(PERSON, txt="Hello")  # type: ignore[call-arg]  # pyright: ignore
    with pytest.raises(TypeError, match=r"^blooio\.v2\.request\(\) got an unexpected keyword argument 'json'$"):
        scripted(Blooio, []).v2.request("POST", "/x", json={})  # type: ignore[call-arg]  # pyright: ignore
    with pytest.raises(TypeError, match=r"^AsyncBlooio\(\) got an unexpected keyword argument 'colour'$"):
        AsyncBlooio(api_key="k", colour="red")  # type: ignore[call-arg]  # pyright: ignore


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), True, "5"])
def test_odd_durations(seconds: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        scripted(Blooio, []).v2.messages.send(PERSON, text="x", timeout=seconds)
    assert caught.value.argument == "timeout"
    with pytest.raises(ConfigError, match="timeout"):
        Blooio(api_key="k", timeout=seconds)


def test_configuration_is_checked_at_once_and_never_echoed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BLOOIO_API_KEY"):
        Blooio()
    for key in ("secret\n", "sécret", ""):
        with pytest.raises(ConfigError) as caught:
            Blooio(api_key=key)
        assert "cret" not in str(caught.value)
    with pytest.raises(ConfigError, match="https"):
        Blooio(api_key="k", base_url="http://example.com")
    with pytest.raises(ConfigError, match="ca_certs"):
        Blooio(api_key="k", ca_certs=tmp_path / "none.pem")
    with pytest.raises(ConfigError, match="ca_certs"):
        Blooio(api_key="k", ca_certs=b"no certificate")
    with pytest.raises(ConfigError):
        Blooio(api_key=5)  # type: ignore[arg-type]  # pyright: ignore


def test_files_come_in_many_forms(tmp_path: Path) -> None:
    path = tmp_path / "icon.png"
    path.write_bytes(PNG)
    client = scripted(Blooio, [OK] * 6)
    set_icon = client.v2.groups.set_icon
    set_icon("grp_1", icon=PNG)
    set_icon("grp_1", icon=path)
    with path.open("rb") as file:
        set_icon("grp_1", icon=file)
    set_icon("grp_1", icon=("other.png", PNG, "image/png"))
    set_icon("grp_1", icon=bytearray(PNG))
    set_icon("grp_1", icon=("other.png", bytearray(PNG), "image/png"))
    bodies = [bytes.fromhex(request.get("body_base16", "")) for request in client.requests]
    assert b'name="icon"; filename="icon"\r\nContent-Type: image/png\r\n' in bodies[0]
    assert bodies[1] == bodies[2]
    assert b'filename="icon.png"' in bodies[1]
    assert b'filename="other.png"' in bodies[3]
    assert bodies[4:] == [bodies[0], bodies[3]]
    for odd in (tmp_path / "none.png", "icon.png", ("a", PNG), 5):
        with pytest.raises(InvalidArgumentError) as caught:
            set_icon("grp_1", icon=odd)  # type: ignore[arg-type]  # pyright: ignore
        assert caught.value.argument == "icon"


def test_text_as_a_file_is_told_how_to_be_a_path() -> None:
    with pytest.raises(InvalidArgumentError, match=r"pathlib\.Path"):
        scripted(Blooio, []).v2.groups.set_icon("grp_1", icon="icon.png")  # type: ignore[arg-type]  # pyright: ignore


def test_of_a_file_too_large_no_more_is_read_than_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "icon.png"
    with path.open("wb") as file:
        file.truncate(128 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidArgumentError, match="16 MiB"):
            scripted(Blooio, []).v2.groups.set_icon("grp_1", icon=path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def _contacts(request: Request) -> tuple[int, object]:
    offset = int(request.target.partition("offset=")[2].partition("&")[0] or 0)
    ids = [f"c{number}" for number in range(offset, min(offset + 2, 5))]
    body = {"contacts": [{"contact_id": id} for id in ids], "pagination": {"limit": 2, "offset": offset, "total": 5}}
    return 200, body


def test_lists_are_lazy_and_follow_their_pages() -> None:
    with Server(_contacts) as server, Blooio(api_key="k", base_url=server.url) as blooio:
        contacts = blooio.v2.contacts.list(limit=2)
        assert server.requests == []
        assert [contact.contact_id for contact in contacts] == ["c0", "c1", "c2", "c3", "c4"]
        assert len(server.requests) == 3
        pages = list(contacts.pages())
        assert [len(page.items) for page in pages] == [2, 2, 1]
        assert pages[0].raw["pagination"]["total"] == 5
        assert pages[0].has_next and not pages[2].has_next
        first = blooio.v2.contacts.with_response.list(limit=2)
        assert first.status == 200
        again = first.value.next_page()
        assert again is not None and again.items == pages[1].items


def test_lists_asynchronously() -> None:
    async def main() -> None:
        async with AsyncBlooio(api_key="k", base_url=server.url) as blooio:
            contacts = blooio.v2.contacts.list(limit=2)
            assert [contact.contact_id async for contact in contacts] == ["c0", "c1", "c2", "c3", "c4"]
            assert [len(page.items) async for page in contacts.pages()] == [2, 2, 1]
            first = await blooio.v2.contacts.with_response.list(limit=2)
            following = await first.value.next_page()
            assert following is not None and following.items[0].contact_id == "c2"

    with Server(_contacts) as server:
        asyncio.run(main())


def test_a_page_of_a_closed_client_has_no_next() -> None:
    async def main() -> None:
        async with AsyncBlooio(api_key="k", base_url=server.url) as blooio:
            page = (await blooio.v2.contacts.with_response.list(limit=2)).value
        with pytest.raises(ConfigError, match="closed"):
            await page.next_page()

    with Server(_contacts) as server:
        with Blooio(api_key="k", base_url=server.url) as blooio:
            page = blooio.v2.contacts.with_response.list(limit=2).value
        with pytest.raises(ConfigError, match="closed"):
            page.next_page()
        asyncio.run(main())
        assert len(server.requests) == 2


def test_an_error_is_typed() -> None:
    body = {"error": "ApiError", "message": f"No chat {PERSON}", "status": 404}
    with Server(lambda _: (404, body)) as server, Blooio(api_key="k", base_url=server.url) as blooio:
        with pytest.raises(NotFoundError) as caught:
            blooio.v2.messages.get(PERSON, "m1")
    assert caught.value.status == 404
    assert caught.value.body == body
    assert PERSON not in str(caught.value) + repr(caught.value)


def test_keys_are_fresh_uuids() -> None:
    keys = {new_idempotency_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key) == 36 and key[14] == "4" for key in keys)


def test_times() -> None:
    assert to_datetime(1_790_000_000_000).isoformat() == "2026-09-21T14:13:20+00:00"
    assert to_datetime(1_790_000_000) == to_datetime(1_790_000_000_000)
