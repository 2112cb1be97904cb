"""Models, events and errors as values: they compare, pickle and hide people's data."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.message import Message
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import pytest
from bloomchats import (
    APIError,
    AsyncBlooio,
    Blooio,
    BloomChatsError,
    ConfigError,
    InvalidArgumentError,
    QuotaExceededError,
    RateLimitError,
    Response,
    UnprocessableEntityError,
    WaitTimeoutError,
    WebhookVerificationError,
    errors,
    v2,
    v4,
    webhooks,
)
from bloomchats.testing import scripted

PERSON = "+15551234567"


def raised(status: int, body: Any, call: str = "send") -> BloomChatsError:
    client = scripted(Blooio, [{"status": status, "json": body}] * 3)
    with pytest.raises(BloomChatsError) as caught:
        if call == "send":
            client.v2.messages.send(PERSON, text="A secret plan")
        else:
            client.v4.messages.send(to=[PERSON, "jane@example.com"], text="A secret plan")
    return caught.value


def test_models_are_frozen_views() -> None:
    raw = {"contact_id": "c1", "identifier": PERSON, "name": "Jane", "from_the_future": {"a": 1}, "tags": 5}
    contact = v2.Contact(raw)
    assert contact.contact_id == "c1"
    assert contact.raw["from_the_future"] == {"a": 1}
    with pytest.raises(AttributeError):
        contact.contact_id = "c2"  # type: ignore[misc]  # pyright: ignore
    with pytest.raises(AttributeError):
        contact.other = "c2"  # type: ignore[attr-defined]  # pyright: ignore
    assert contact == v2.Contact(copy.deepcopy(raw))
    assert contact != v2.Contact({**raw, "contact_id": "c2"})
    assert contact != v2.Group(raw)
    assert pickle.loads(pickle.dumps(contact)) == contact == copy.deepcopy(contact)
    changed = contact.to_dict()
    changed["from_the_future"]["a"] = 2
    assert contact.raw["from_the_future"] == {"a": 1}
    with pytest.raises(TypeError):
        hash(contact)


def listed(*contacts: object, key: str = "contacts") -> Any:
    answer = {"status": 200, "json": {key: [*contacts], "pagination": {"limit": 50, "offset": 0, "total": len(contacts)}}}
    return next(scripted(Blooio, [answer]).v2.contacts.list().pages())


def test_items_of_a_page_are_models_like_any_other() -> None:
    raw: dict[str, Any] = {"contact_id": "c1", "identifier": PERSON, "name": "J\u00e4ne \U0001f600 \"quoted\" {[", "tags": [{"a": []}]}
    fresh = lambda: listed(raw, {}).items[0]
    assert fresh() == v2.Contact(raw) == fresh()
    assert fresh() != listed({**raw, "name": "Jim"}).items[0]
    assert pickle.loads(pickle.dumps(fresh())) == copy.deepcopy(fresh()) == copy.copy(fresh()) == v2.Contact(raw)
    assert (fresh().name, fresh().raw, fresh().to_dict()) == (raw["name"], raw, raw)
    assert repr(fresh()) == repr(v2.Contact(raw))
    with pytest.raises(AttributeError, match="'Contact' object has no attribute 'nonsense'"):
        _ = fresh().nonsense
    page = listed(raw, {})
    assert page.raw["contacts"] == [item.raw for item in page.items] and page.raw["pagination"]["total"] == 2
    assert page.items[0].raw is page.items[0].raw and page.raw is page.raw


def several_pages() -> list[dict[str, Any]]:
    """Answers of a list that goes on after each of them."""
    pages = ({"contacts": [{"contact_id": id}], "pagination": {"limit": 1, "offset": at, "total": 9}} for at, id in enumerate("abc"))
    return [{"status": 200, "json": page} for page in pages]


def pickled(value: object) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_pages_and_responses_pickle_and_leave_their_client(copied: Callable[[Any], Any]) -> None:
    client = scripted(Blooio, several_pages())
    first = client.v2.contacts.with_response.list(limit=1)
    told = copied(first)
    facts = attrgetter("status", "headers", "request_id", "attempts", "idempotency_key")
    assert isinstance(told, Response) and facts(told) == facts(first)
    page = copied(first.value)
    assert type(page) is type(first.value) and page.items == first.value.items == [v2.Contact({"contact_id": "a"})]
    assert page.raw == first.value.raw and page.has_next and copied(page).has_next
    with pytest.raises(ConfigError, match="belongs to no client"):
        page.next_page()
    following = first.value.next_page()
    assert following is not None and following.items[0].contact_id == "b"
    last = copied(listed({"contact_id": "c"}))
    assert not last.has_next and last.next_page() is None


def test_an_asynchronous_page_pickles_too() -> None:
    async def main() -> None:
        page = (await scripted(AsyncBlooio, several_pages()).v2.contacts.with_response.list(limit=1)).value
        back = pickled(page)
        assert type(back) is type(page) and back.items == page.items and back.raw == page.raw
        with pytest.raises(ConfigError, match="belongs to no client"):
            await back.next_page()

    asyncio.run(main())


def test_items_are_the_same_however_they_are_come_by() -> None:
    rows = [{"identifier": str(number), "name": "J\u00e4ne"} for number in range(3)]
    body = {"contacts": rows, "pagination": {"limit": 50, "offset": 0, "total": 3}}
    client = scripted(Blooio, [{"status": 200, "json": body}] * 2 + [{"status": 200, "json": {**body, "contacts": []}}])
    contacts = client.v2.contacts.list()
    for found in (contacts, next(contacts.pages()).items):
        assert [(type(item), item.raw) for item in found] == [(v2.Contact, row) for row in rows]
    assert list(contacts) == []


def test_an_item_first_read_by_many_threads_reads_the_same_in_all() -> None:
    for item in listed(*({"identifier": str(number)} for number in range(100))).items:
        with ThreadPoolExecutor(8) as pool:
            seen = set(pool.map(attrgetter("identifier"), [item] * 8))
        assert len(seen) == 1 and None not in seen


def test_a_field_of_an_unexpected_type_reads_none() -> None:
    odd = v2.SendMessageResponse({"message_id": 5, "message_ids": ["a", 1], "status": True})
    assert (odd.message_id, odd.message_ids, odd.status) == (None, [], None)
    assert odd.raw["message_id"] == 5


def test_unions_keep_what_they_do_not_know() -> None:
    message = v2.Message({"attachments": ["https://a.example/x.png", {"url": "https://a.example/y.png"}]})
    first, second = message.attachments or []
    assert first == "https://a.example/x.png"
    assert isinstance(second, v2.MessageAttachmentObject)


def test_a_send_result_matches() -> None:
    answer = {"data": [{"id": "msg_1", "status": "queued"}, {"id": "msg_2", "status": "failed"}]}
    client = scripted(Blooio, [{"status": 207, "json": answer}])
    match client.v4.messages.send(to=[PERSON, "+15557654321"], text="Hi"):
        case v4.FanOutResult(message_ids=ids, data=data):
            assert ids == ["msg_1", "msg_2"]
            assert [one.status for one in data] == ["queued", "failed"]
        case other:
            pytest.fail(repr(other))


def test_repr_shows_no_content() -> None:
    secrets = [PERSON, "Jane", "jane@example.com", "whsec_abc", "A secret plan", "https://a.example/x.png"]
    people: dict[str, Any] = {
        "identifier": PERSON, "name": "Jane", "email": "jane@example.com", "signing_secret": "whsec_abc", "id": PERSON,
        "text": "A secret plan", "from": PERSON, "to": PERSON, "url": "https://a.example/x.png", "chat_id": PERSON,
        "contact_id": PERSON, "phone_number": PERSON, "external_id": PERSON, "internal_id": PERSON, "title": "A secret plan",
    }  # fmt: skip
    for module in (v2, v4):
        for name in dir(module):
            kind = getattr(module, name)
            if not isinstance(kind, type) or not hasattr(kind, "_shown"):
                continue
            given = people if module is v2 else {**people, "id": "msg_1", "chat_id": "chat_1", "contact_id": "con_1"}
            shown = repr(kind(given))
            assert not [secret for secret in secrets if secret in shown], shown


def test_repr_of_a_response_shows_no_more_than_its_value_would() -> None:
    answer: dict[str, Any] = {"status": 200, "json": {"contacts": [], "message_id": "m1", "text": "A secret plan"}}
    client = scripted(Blooio, [answer] * 3)
    assert repr(client.v2.with_response.request("GET", "/x")) == "Response(dict, status=200, attempts=1)"
    page = client.v2.contacts.with_response.list()
    assert repr(page) == "Response(Page(0 items, has_next=False), status=200, attempts=1)"
    sent = client.v2.messages.with_response.send(PERSON, text="x")
    assert repr(sent) == f"Response({sent.value!r}, status=200, attempts=1)" and "m1" in repr(sent)


def test_errors_pickle_with_their_cause() -> None:
    error = raised(409, {"error": "ApiError", "message": "used before", "status": 409, "code": "key_reused"})
    error.__cause__ = raised(404, {})
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert vars(back) == vars(error)
    assert str(back) == str(error)
    assert type(back.__cause__) is errors.NotFoundError


def test_every_class_has_its_place() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, BloomChatsError)
        assert pickle.loads(pickle.dumps(kind("message"))).message == "message"
    assert issubclass(QuotaExceededError, RateLimitError) and issubclass(RateLimitError, APIError)


def test_errors_tell_facts_and_no_content() -> None:
    body = {"error": "ApiError", "message": f"cannot reach {PERSON} with 'A secret plan'", "status": 400, "code": "bad"}
    error = raised(400, body)
    assert (error.status, error.code, error.attempts, error.maybe_sent) == (400, "bad", 1, False)
    assert error.body == body
    assert "status 400" in str(error) and "code bad" in str(error)
    for text in (str(error), repr(error)):
        assert PERSON not in text and "secret" not in text


def test_a_refused_fan_out_carries_its_result() -> None:
    error = raised(422, {"data": [{"to": PERSON, "status": "failed", "error": {"code": "x"}}]}, "fan-out")
    assert isinstance(error, UnprocessableEntityError)
    assert isinstance(error.result, v4.FanOutResult)
    assert error.result.data[0].status == "failed"
    assert pickle.loads(pickle.dumps(error)).result == error.result


def test_a_wait_that_runs_out_carries_the_last_status() -> None:
    client = scripted(Blooio, [{"status": 200, "json": {"message_id": "m1", "status": "queued"}}] * 9)
    with pytest.raises(WaitTimeoutError) as caught:
        client.v2.messages.wait(PERSON, "m1", timeout=10)
    assert caught.value.last_status.status == "queued"


def test_wait_takes_the_result_of_a_send() -> None:
    delivered = {"status": 200, "json": {"message_id": "m1", "status": "delivered"}}
    client = scripted(Blooio, [{"status": 202, "json": {"message_id": "m1", "status": "queued"}}, delivered])
    sent = client.v2.messages.send(PERSON, text="x")
    assert client.v2.messages.wait(PERSON, sent).status == "delivered"


BODY = json.dumps({"event": "message.received", "message_id": "m1", "text": "A secret plan", "sender": PERSON}).encode()
SECRET = "whsec_test"


def test_a_signed_webhook_verifies_into_a_typed_event() -> None:
    event = webhooks.verify(BODY, webhooks.sign(BODY, SECRET), ["whsec_old", SECRET])
    match event:
        case v2.MessageReceived(data=data):
            assert data.message_id == "m1"
        case other:
            pytest.fail(repr(other))
    assert event.version == "v2"
    assert "secret" not in repr(event) and PERSON not in repr(event)
    assert pickle.loads(pickle.dumps(event)) == event


def test_v4_envelopes_and_unknown_types() -> None:
    known = webhooks.parse(b'{"id": "evt_1", "type": "poll.voted", "data": {"poll_id": "p"}}')
    assert isinstance(known, v4.PollVoted) and known.id == "evt_1"
    unknown = webhooks.parse(b'{"id": "evt_1", "type": "moon.landed", "data": {"a": 1}}')
    assert type(unknown) is webhooks.WebhookEvent and unknown.data.raw == {"a": 1}


@pytest.mark.parametrize(
    ("body", "header", "reason"),
    [
        (BODY, None, "missing_header"),
        (BODY, "nonsense", "bad_form"),
        (BODY, webhooks.sign(BODY, SECRET, at=time.time() - 1000), "stale"),
        (BODY, webhooks.sign(BODY, SECRET, at=time.time() + 1000), "future"),
        (BODY, webhooks.sign(BODY, "whsec_other"), "wrong_secret"),
        (json.loads(BODY), webhooks.sign(BODY, SECRET), "parsed_body"),
        (BODY, "t=1,v1=\udcff", "bad_form"),
        ("\ud800", webhooks.sign(BODY, SECRET), "parsed_body"),
        (BODY, {}, "missing_header"),
        (BODY, {"Content-Type": "application/json", "X-Blooio-Signature": "nonsense"}, "bad_form"),
    ],
)
def test_what_does_not_verify_says_why(body: Any, header: webhooks.Headers | str | None, reason: str) -> None:
    with pytest.raises(WebhookVerificationError) as caught:
        webhooks.verify(body, header, SECRET)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["X-Blooio-Signature", "x-blooio-signature", "X-BLOOIO-SIGNATURE"])
def test_headers_of_any_framework_do(name: str) -> None:
    headers = {"Content-Type": "application/json", name: webhooks.sign(BODY, SECRET)}
    of_the_standard_library = Message()
    of_the_standard_library[name] = headers[name]
    for given in (headers, MappingProxyType(headers), of_the_standard_library):
        assert webhooks.verify(BODY, given, SECRET).type == "message.received"
    with pytest.raises(InvalidArgumentError, match="signature"):
        webhooks.verify(BODY, b"t=1", SECRET)  # type: ignore[arg-type]  # pyright: ignore


@pytest.mark.parametrize("secret", [None, "", [], b"whsec_test", [None], [SECRET, b"whsec_test"]])
def test_what_is_no_secret_is_refused(secret: Any) -> None:
    with pytest.raises(ConfigError, match="secret"):
        webhooks.verify(BODY, webhooks.sign(BODY, SECRET), secret)


def test_the_time_to_compare_with_is_seconds_or_a_clocks_milliseconds() -> None:
    header = webhooks.sign(BODY, SECRET, at=1_800_000_000)
    assert webhooks.sign(BODY, SECRET, at=1_800_000_000_999) == header
    for now in (1_800_000_000, 1_800_000_299.9, 1_800_000_000_000):
        assert webhooks.verify(BODY, header, SECRET, now=now).type == "message.received"
    with pytest.raises(WebhookVerificationError):
        webhooks.verify(BODY, header, SECRET, now=1_800_000_301_000)


@pytest.mark.parametrize("value", [float("nan"), -1, "5", True, datetime.now()])
@pytest.mark.parametrize("name", ["now", "tolerance", "at"])
def test_what_is_no_time_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="expected") as caught:
        if name == "at":
            webhooks.sign(BODY, SECRET, at=value)
        else:
            webhooks.verify(BODY, webhooks.sign(BODY, SECRET), SECRET, **{name: value})
    assert caught.value.argument == name


def test_errors_are_called_what_they_are_imported_as() -> None:
    for name in errors.__all__:
        assert getattr(errors, name).__module__ == "bloomchats"


def test_a_delivery_may_be_of_any_age() -> None:
    header = webhooks.sign(b'{"event":"x"}', "whsec_a", at=1)
    event = webhooks.verify(b'{"event":"x"}', header, "whsec_a", tolerance=float("inf"))
    assert event.type == "x"
