"""Blooio's own Python client tells a story over all its methods, and finds every answer of the sandbox valid.

    BLOOMCHATS_BIN=target/debug/bloomchats pytest tests/e2e/test_vendor_sdk.py

Needs `blooio` from PyPI; without it the story is skipped.
"""

import json
import os
import subprocess
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

blooio = pytest.importorskip("blooio")
httpx = pytest.importorskip("httpx")

ADA, BO = "+15551234567", "bo@example.com"
PNG = b"\x89PNG\r\n\x1a\n"


def encode_plus(request):
    """The client leaves `+` bare in paths, which the service documents to read as a blank and to refuse."""
    request.url = request.url.copy_with(raw_path=request.url.raw_path.replace(b"+", b"%2B"))


@pytest.fixture
def client():
    binary = os.environ.get("BLOOMCHATS_BIN", str(Path(__file__).parents[2] / "target/debug/bloomchats"))
    command = [binary, "sandbox", "--json", "--port", "0", "--stop-on-stdin-close", "--switch", "v2_group_members=true"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        yield blooio.Blooio(
            api_key=ready["blooio_api_key"],
            base_url=ready["url"] + "/v2/api",
            max_retries=0,
            http_client=blooio.DefaultHttpxClient(event_hooks={"request": [encode_plus]}),
            _strict_response_validation=True,
        )
        process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.fixture
def receiver():
    """The URL of a server that takes any webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()


def test_account_contacts_and_numbers(client):
    assert client.me.retrieve().organization_id
    assert client.me.numbers.list().numbers
    assert client.contacts.create(identifier=ADA, name="Ada").identifier == ADA
    assert client.contacts.update(ADA, name="Ada L.").name == "Ada L."
    assert client.contacts.retrieve(ADA).name == "Ada L."
    assert client.contacts.list(q="ada").contacts
    client.contacts.check_capabilities(ADA)
    client.contacts.tags.add(ADA, tags=["vip"])
    assert [tag.tag for tag in client.contacts.tags.list(ADA).tags] == ["vip"]
    client.contacts.tags.remove("vip", contact_id=ADA)
    client.contacts.delete(ADA)
    with pytest.raises(blooio.NotFoundError):
        client.contacts.retrieve(ADA)
    friends = client.location.contacts.list().friends
    client.location.contacts.retrieve(friends[0].handle)
    client.location.contacts.refresh()
    client.phone_numbers.lookup.retrieve(number="+16502530000")
    client.phone_numbers.lookup.create(number="+16502530000")
    client.phone_numbers.batch_create(numbers=["+16502530000", "nonsense"])
    with pytest.raises(blooio.InternalServerError) as refused:
        client.facetime.initiate_call(handle=ADA)
    assert refused.value.status_code == 501


def test_messages_polls_and_signals(client):
    chats = client.chats
    sent = chats.messages.send(ADA, text="Hello", idempotency_key="story-1")
    assert chats.messages.send(ADA, text="Hello", idempotency_key="story-1").message_id == sent.message_id
    assert len(chats.messages.send(ADA, text=["one", "two"]).message_ids) == 2
    deadline = time.monotonic() + 10
    while chats.messages.get_status(sent.message_id, chat_id=ADA).status != "delivered":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert chats.messages.retrieve(sent.message_id, chat_id=ADA).text == "Hello"
    assert len(chats.messages.list(ADA, direction="outbound").messages) == 3
    chats.messages.react("-1", chat_id=ADA, reaction="+love")
    poll = chats.polls.send(ADA, title="When?", options=["Noon", "One"])
    assert chats.polls.get_results(poll.poll_id, chat_id=ADA).total_votes == 0
    chats.typing.start(ADA)
    chats.typing.stop(ADA)
    chats.mark_as_read(ADA)
    chats.share_contact_card(ADA)
    assert chats.retrieve(ADA).id == ADA
    assert chats.list(limit=5).chats
    assert chats.background.set(ADA, background=("sky.png", PNG, "image/png")).has_background
    assert chats.background.retrieve(ADA).has_background
    assert not chats.background.remove(ADA).has_background


def test_groups(client):
    groups = client.groups
    group = groups.create(name="Lunch", members=[ADA, BO]).group_id
    client.chats.messages.send(group, text="Noon?")
    groups.icon.set(group, icon=("icon.png", PNG, "image/png"))
    groups.icon.remove(group)
    assert groups.update(group, name="Dinner").name == "Dinner"
    groups.members.add(group, contact_id="+15550001111")
    assert len(groups.members.list(group).members) == 3
    groups.members.remove("+15550001111", group_id=group)
    assert groups.retrieve(group).name == "Dinner"
    assert groups.list(q="dinner").groups
    groups.delete(group)
    with pytest.raises(blooio.NotFoundError):
        groups.retrieve(group)


def test_webhooks(client, receiver):
    made = client.webhooks.create(webhook_url=receiver, webhook_type="status")
    client.chats.messages.send(ADA, text="Hello")
    deadline = time.monotonic() + 10
    while len(logs := client.webhooks.logs.list(made.webhook_id).logs) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client.webhooks.logs.replay(logs[0].event_id, webhook_id=made.webhook_id).success
    assert client.webhooks.secret.rotate(made.webhook_id).rotation_count == 1
    assert client.webhooks.update(made.webhook_id, webhook_type="all").webhook_type == "all"
    assert client.webhooks.retrieve(made.webhook_id).is_active
    assert client.webhooks.list().webhooks
    client.webhooks.delete(made.webhook_id)
