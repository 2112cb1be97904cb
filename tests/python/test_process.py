"""Forks, exits and imports: the host's process stays the host's."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from bloomchats import AsyncBlooio, Blooio, ConfigError
from bloomchats.testing import scripted
from server import Request, Server

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def in_child(work: Callable[[], None], seconds: float = 20) -> int:
    """Exit code of a forked child that does `work`: 0 when it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def run(program: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=seconds, check=False)


def test_import_starts_no_thread_and_opens_nothing() -> None:
    program = """
import os, sys, threading
before = set(os.listdir("/dev/fd"))
import bloomchats, bloomchats.testing
tasks = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1
bloomchats.Blooio(api_key="k")
print(threading.active_count(), tasks, len(set(os.listdir("/dev/fd")) - before))
"""
    assert run(program).stdout.split() == ["1", "1", "0"]


@FORKS
def test_a_child_uses_its_parents_client(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    assert blooio.v2.request("GET", "/parent")["ok"]

    def work() -> None:
        assert blooio.v2.request("GET", "/child")["ok"]
        assert Blooio(api_key="k", base_url=server.url).v2.request("GET", "/own")["ok"]

    assert in_child(work) == 0
    assert blooio.v2.request("GET", "/parent-again")["ok"]
    assert {request.target for request in server.requests} == {
        f"/v2/api/{name}" for name in ("parent", "child", "own", "parent-again")
    }


@FORKS
def test_children_of_children(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    blooio.v2.request("GET", "/x")

    def work() -> None:
        blooio.v2.request("GET", "/child")
        assert in_child(lambda: blooio.v2.request("GET", "/grandchild")) == 0

    assert in_child(work) == 0


@FORKS
def test_a_child_runs_loops_of_its_own(server: Server) -> None:
    blooio = AsyncBlooio(api_key="k", base_url=server.url)

    async def call() -> None:
        assert (await blooio.v2.request("GET", "/x"))["ok"]

    asyncio.run(call())
    assert in_child(lambda: asyncio.run(call())) == 0
    asyncio.run(call())


@FORKS
def test_fork_while_other_threads_are_calling(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            blooio.v2.request("GET", "/busy")

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: blooio.v2.request("GET", "/child")) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


@FORKS
def test_a_child_that_drops_its_parents_calls_does_not_end_them() -> None:
    def late(_: Request) -> tuple[int, object]:
        time.sleep(0.5)
        return 200, {"ok": True}

    async def main() -> None:
        blooio = AsyncBlooio(api_key="k", base_url=server.url)
        tasks = [asyncio.ensure_future(blooio.v2.request("GET", "/x")) for _ in range(4)]
        await asyncio.to_thread(server.asked.wait, 5)

        def work() -> None:
            tasks.clear()
            gc.collect()

        assert in_child(work) == 0
        assert [answer["ok"] for answer in await asyncio.gather(*tasks)] == [True] * 4

    with Server(late) as server:
        asyncio.run(main())


@FORKS
def test_children_make_other_keys() -> None:
    blooio = scripted(Blooio, [{"status": 202, "json": {"message_id": "m"}}] * 2)
    reader, writer = os.pipe()

    def work() -> None:
        blooio.v2.messages.send("+15551234567", text="x")
        os.write(writer, blooio.requests[-1]["headers"]["idempotency-key"].encode())

    assert in_child(work) == 0
    blooio.v2.messages.send("+15551234567", text="x")
    assert os.read(reader, 100).decode() != blooio.requests[-1]["headers"]["idempotency-key"]
    os.close(reader)
    os.close(writer)


@FORKS
def test_a_page_from_before_the_fork_says_so() -> None:
    def contacts(_: Request) -> tuple[int, object]:
        return 200, {"contacts": [{"contact_id": os.urandom(4).hex()}], "pagination": {"total": 9}}

    with Server(contacts) as server:
        page = Blooio(api_key="k", base_url=server.url).v2.contacts.with_response.list().value

        def work() -> None:
            with pytest.raises(ConfigError, match="fork"):
                page.next_page()

        assert in_child(work) == 0
        assert page.next_page() is not None


@pytest.mark.parametrize(
    "ending",
    [
        "threading.Thread(target=sync, daemon=True).start(); asked()",
        "threading.Thread(target=lambda: asyncio.run(pending()), daemon=True).start(); asked()",
        "loop = asyncio.new_event_loop(); task = loop.create_task(pending()); loop.run_until_complete(asyncio.sleep(.2))",
        "asyncio.run(abandoned())",
        "threading.Thread(target=sync, daemon=True).start(); asked(); os._exit(0)",
        "threading.Thread(target=sync, daemon=True).start(); asked(); sys.exit(0)",
        "[threading.Thread(target=busy, daemon=True).start() for _ in range(4)]; time.sleep(.2)",
        "threading.Thread(target=lambda: asyncio.run(busy_loop()), daemon=True).start(); time.sleep(.2)",
    ],
)
def test_exit_with_calls_in_flight(server: Server, ending: str) -> None:
    program = f"""
import asyncio, os, sys, threading, time
from bloomchats import AsyncBlooio, Blooio
client = Blooio(api_key="k", base_url={server.url!r})
async_client = AsyncBlooio(api_key="k", base_url={server.url!r})
def sync(): client.v2.request("GET", "/silence")
async def pending(): await async_client.v2.request("GET", "/silence")
async def abandoned():
    asyncio.get_running_loop().create_task(pending())
    await asyncio.sleep(.2)
def busy():
    while True: client.v2.request("GET", "/x")
async def busy_loop():
    while True: await asyncio.gather(*(async_client.v2.request("GET", "/x") for _ in range(8)))
def asked(): time.sleep(.3)
{ending}
"""
    for _ in range(3):
        done = run(program)
        assert done.returncode == 0, (done.returncode, done.stderr)
        assert "panick" not in done.stderr, done.stderr
