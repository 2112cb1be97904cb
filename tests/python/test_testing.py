"""`bloomchats.testing.Sandbox`: every member once, and that no sandbox outlives whoever started it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bloomchats import AuthenticationError, RateLimitError, webhooks
from bloomchats.testing import Sandbox, SandboxError
from bloomchats.testing._process import find_program

ANNA, BEN = "+15551234567", "+15557654321"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A namespace of the test's own, with time standing still."""
    yield sandbox.namespace(frozen=True)


def test_a_person_receives_and_does_things(world: Sandbox) -> None:
    anna = world.phone(ANNA)
    with world.blooio() as blooio:
        sent = blooio.v2.messages.send(ANNA, text="Hello", attachments=["https://example.com/a.png"])
        [message] = anna.inbox
        assert (message.v2_id, message.text, message.type) == (sent.message_id, "Hello", "media")
        assert message.attachments == ("https://example.com/a.png",)
        assert message.from_.startswith("+1") and message.sent_at == world.clock.now and message.group_id is None
        world.clock.advance(1)
        assert anna.inbox[0].status == "delivered"

        answer = anna.write("Hi", attachments=["https://example.com/b.png"], reply_to=message.id)
        assert answer.to == message.from_ and answer.v2_message_id
        assert blooio.v2.messages.get(ANNA, answer.v2_message_id).text == "Hi"
        assert anna.react("love", message=message.id).message_id == message.id
        blooio.v2.polls.send(ANNA, title="Tea?", options=["Yes", "No"])
        assert anna.inbox[1].poll is not None and anna.inbox[1].poll.options == ("Yes", "No")
        assert anna.vote(0).message_id == anna.vote("No").message_id == anna.inbox[1].id
        for happened in (anna.start_typing(), anna.stop_typing(), anna.read(), anna.share_contact_card()):
            assert happened.chat_id == answer.chat_id
        assert anna.ask_poll("When?", ["Now", "Later"]).message_id

        group = blooio.v2.groups.create(name="Two", members=[ANNA, BEN]).group_id
        assert group
        anna.rename_group(group, "Both")
        anna.set_group_icon(group, "https://example.com/c.png")
        assert blooio.v2.groups.get(group).name == "Both"


def test_time_stands_still_and_moves(world: Sandbox) -> None:
    clock = world.clock
    assert clock.frozen and clock.now == clock.now
    before = clock.now
    clock.advance(1.5)
    assert clock.now == before + 1500
    clock.set(1_800_000_000_000)
    assert clock.now == 1_800_000_000_000
    clock.run()
    assert not clock.frozen
    clock.freeze()
    assert clock.frozen


def test_faults_limits_switches_and_logs(world: Sandbox) -> None:
    world.faults.replace([{"action": "status", "path": "/v2/*", "status": 503, "times": 1}])
    world.faults.add("pass")
    with world.blooio(max_retries=1) as blooio:
        blooio.v2.me.get()
    assert [line.get("hits") for line in world.faults.script] == [1, 1]
    assert [(request.status, request.fault) for request in world.requests] == [(503, True), (200, True)]
    world.faults.clear()
    assert world.faults.script == []

    world.set_switches(send_status=202)
    assert world.switches["send_status"] == 202
    world.set_limit("v2", 0)
    with pytest.raises(RateLimitError):
        world.blooio(max_retries=0).v2.me.get()
    world.set_limit("v2", None)
    line = world.phone(ANNA).write("Hi").to
    world.set_line(line, status="suspended")
    world.reset()
    assert world.requests == [] and world.switches["send_status"] == 201
    assert len(list(world.bloomchats().contacts.list())) > 100


def test_webhooks_arrive_and_fail(world: Sandbox) -> None:
    receiver = world.receiver(status=500)
    with world.blooio() as blooio:
        hook = blooio.v2.webhooks.create(webhook_url=receiver.url, webhook_type="message")
        world.phone(ANNA).write("Hi")
        world.clock.advance(0)
        assert [delivery.state for delivery in world.deliveries] == ["pending"]
        receiver.answer(204)
        world.clock.advance(60)
    [first, second] = receiver.received
    assert (first.status, second.status, first.body) == (500, 204, second.body)
    now = world.clock.now / 1000
    secret = hook.raw["signing_secret"]
    assert webhooks.verify(second.body, second.signature, secret, now=now).type == "message.received"
    [delivery] = world.deliveries
    assert (delivery.state, [attempt.status for attempt in delivery.attempts]) == ("delivered", [500, 204])


def test_refusals_say_why(world: Sandbox) -> None:
    with pytest.raises(SandboxError, match="no_such") as refused:
        world.set_switches(no_such=1)
    assert refused.value.status == 400
    with pytest.raises(SandboxError, match="no_such"):
        world.namespace(switches={"no_such": 1})


def test_namespaces_do_not_see_each_other(sandbox: Sandbox) -> None:
    one, two = sandbox.namespace(), sandbox.namespace()
    one.blooio().v2.messages.send(ANNA, text="Hello")
    assert len(one.phone(ANNA).inbox) == 1 and two.phone(ANNA).inbox == []
    two.close()
    assert one.url == two.url and one.clock.now > 0


def test_a_client_of_it_takes_another_key_or_who_supplies_one(sandbox: Sandbox) -> None:
    one, two = sandbox.namespace(), sandbox.namespace()
    one.blooio(api_key=lambda: two.blooio_api_key).v2.messages.send(ANNA, text="Hello")

    async def later() -> str:
        return two.blooio_api_key

    async def main() -> None:
        await one.asynchronous.blooio(api_key=later).v2.messages.send(ANNA, text="Hello")

    asyncio.run(main())
    assert (len(one.phone(ANNA).inbox), len(two.phone(ANNA).inbox)) == (0, 2)
    with pytest.raises(AuthenticationError):
        list(one.bloomchats(api_key="dmtb_none").contacts.list())


def test_asynchronously(sandbox: Sandbox) -> None:
    async def main() -> None:
        world = await sandbox.asynchronous.namespace(frozen=True)
        anna = world.phone(ANNA)
        async with world.blooio() as blooio:
            await blooio.v2.messages.send(ANNA, text="Hello")
        async with world.bloomchats() as bloomchats:
            assert [contact async for contact in bloomchats.contacts.list()]
        assert [message.text for message in await anna.inbox()] == ["Hello"]
        receiver = await world.receiver()
        await anna.write("Hi")
        assert await receiver.received() == [] and await world.deliveries() == []
        assert len(await world.requests()) >= 2 and await world.faults.script() == []
        await world.clock.advance(1)
        assert (await anna.inbox())[0].status == "delivered"

    asyncio.run(main())


def test_async_with_serves_webhooks_while_time_advances() -> None:
    async def main() -> None:
        arrived: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line.lower())
            arrived.append(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Sandbox(frozen=True) as world, world.blooio() as blooio, server:
            await blooio.v2.webhooks.create(webhook_url=f"http://127.0.0.1:{port}/", webhook_type="message")
            await world.phone(ANNA).write("Hi")
            await world.clock.advance(1)
            assert len(arrived) == 1

    asyncio.run(main())


def test_one_that_runs_is_found(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOOMCHATS_SANDBOX_URL", sandbox.url + "/")
    with Sandbox() as found:
        assert found.url == sandbox.url and found.blooio_api_key != sandbox.blooio_api_key
    assert sandbox.clock.now > 0
    monkeypatch.setenv("BLOOMCHATS_SANDBOX_URL", "http://127.0.0.1:9")
    with pytest.raises(SandboxError, match="no sandbox answers"):
        Sandbox()


def test_without_one_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BLOOMCHATS_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    folders: list[str | None] = [str(tmp_path), None]
    monkeypatch.setattr("bloomchats.testing._process._script_folders", lambda: folders)
    with pytest.raises(SandboxError, match="pip install"):
        Sandbox()
    program = tmp_path / "bloomchats"
    program.write_text("#!/bin/sh\necho no\n")
    program.chmod(0o755)
    assert find_program() == str(program)
    with pytest.raises(SandboxError, match="is no sandbox"):
        Sandbox()
    monkeypatch.setenv("BLOOMCHATS_BIN", str(tmp_path / "nothing"))
    with pytest.raises(SandboxError, match="cannot be started"):
        Sandbox()


@pytest.mark.skipif(sys.platform == "win32", reason="no scripts of a shell here")
@pytest.mark.parametrize(
    ("does", "problem"),
    [
        ("sleep 60", r"bloomchats sandbox .*` said nothing for 1 s and was killed.*BLOOMCHATS_BIN"),
        ("printf half; sleep 60", "said nothing for"),
        ("exit 3", r"bloomchats is no sandbox, .*\(exit code 3\).*BLOOMCHATS_BIN"),
        ("echo []; exit 0", "is no sandbox"),
        ("echo '{\"url\": \"http://127.0.0.1:9\"}'", "is no sandbox"),
        ("exec tr '\\0' x </dev/zero 2>/dev/null", "is no sandbox"),
    ],
)
def test_what_is_no_sandbox_is_told_and_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str, problem: str
) -> None:
    program, pid = tmp_path / "bloomchats", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid}\n{does}\n")
    program.chmod(0o755)
    monkeypatch.delenv("BLOOMCHATS_SANDBOX_URL", raising=False)
    monkeypatch.setenv("BLOOMCHATS_BIN", str(program))
    if "sleep" in does:
        monkeypatch.setattr("bloomchats.testing._process._PATIENCE", 1.0)
    with pytest.raises(SandboxError, match=problem):
        Sandbox()
    with pytest.raises(ProcessLookupError):  # A child that is not waited for would still have its number.
        os.kill(int(pid.read_text()), 0)


def test_it_starts_at_once_and_stops_with_its_block() -> None:
    begun = time.perf_counter()
    with Sandbox() as sandbox:
        print(f"ready after {(time.perf_counter() - begun) * 1000:.0f} ms")
        assert "dmtb" not in repr(sandbox) and "bl_" not in repr(sandbox)
        watch = connection(sandbox.url)
    assert ended(watch)


def connection(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def ended(watch: socket.socket) -> bool:
    """Whether the sandbox behind the connection is gone; it would keep an idle one for a minute."""
    with watch:
        try:
            return watch.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def killed(program: str) -> socket.socket:
    """Kills a program that prints its sandbox's URL, once it has; a connection to that sandbox."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        watch = connection(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        return watch


def test_it_goes_when_its_process_is_killed() -> None:
    assert ended(killed("import time, bloomchats.testing as t; s = t.Sandbox(); print(s.url, flush=True); time.sleep(60)"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_it_goes_when_its_process_is_killed_and_a_forked_child_lives_on() -> None:
    program = """
import os, time
from bloomchats.testing import Sandbox
sandbox = Sandbox()
ready, says = os.pipe()
if os.fork() == 0:
    os.close(1)  # or whoever reads our output waits for the child
    os.write(says, b"x")
    time.sleep(15)
    os._exit(0)
os.read(ready, 1)
print(sandbox.url, flush=True)
time.sleep(60)
"""
    assert ended(killed(program))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_uses_its_parents_sandbox_and_leaves_it_running() -> None:
    with Sandbox() as sandbox:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                sandbox.phone(ANNA).write("Hi")
                sandbox.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert len(list(sandbox.blooio().v2.messages.list(ANNA))) == 1


def test_threads_share_it(world: Sandbox) -> None:
    def write() -> None:
        for _ in range(10):
            world.phone(ANNA).write("Hi")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(list(world.blooio().v2.messages.list(ANNA))) == 40


def test_the_pytest_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text('''
from bloomchats import BloomChats, Blooio

def test_first(bloomchats_sandbox):
    Blooio().v2.messages.send("+15551234567", text="Hello")
    assert [message.text for message in bloomchats_sandbox.phone("+15551234567").inbox] == ["Hello"]

def test_second(bloomchats_sandbox):
    assert bloomchats_sandbox.phone("+15551234567").inbox == [] and list(BloomChats().contacts.list())
''')
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_bloomchats", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_story(sandbox: Sandbox) -> None:
    environment = {**os.environ, "BLOOMCHATS_SANDBOX_URL": sandbox.url}
    script = str(ROOT / "examples/story.py")
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "came to its end" in done.stdout
