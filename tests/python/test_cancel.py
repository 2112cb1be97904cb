"""Calls that do not come to their end: their sockets close, and what is known about them is told."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from bloomchats import APITimeoutError, AsyncBlooio, Blooio, BloomChatsError, ConfigError
from bloomchats.testing import scripted
from server import Reply, Request, Server, eventually

Main = Coroutine[Any, Any, None]
Runner = Callable[[Main], None]
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and descriptors of Unix")


def on_asyncio(main: Main) -> None:
    asyncio.run(main)


def on_uvloop(main: Main) -> None:
    uvloop = pytest.importorskip("uvloop")
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def without_readers(main: Main) -> None:
    """A loop like Windows' proactor, which watches no descriptors."""

    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, *_: object) -> None:  # pyright: ignore
            raise NotImplementedError

    loop = Loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


every_loop = pytest.mark.parametrize("run", [on_asyncio, on_uvloop, without_readers])


def client(server: Server) -> AsyncBlooio:
    return AsyncBlooio(api_key="k", base_url=server.url)


def assert_in_doubt(error: BaseException | None, doubt: bool = True) -> None:
    """It says whether a POST may have arrived, and under which key. Tasks of Python 3.10 wrap it in another of its kind."""
    if not hasattr(error, "maybe_sent"):
        assert error is not None and sys.version_info < (3, 11)
        error = error.__context__
    assert getattr(error, "maybe_sent", None) is doubt
    assert len(getattr(error, "idempotency_key", "")) == 36


@every_loop
def test_many_calls_at_once(server: Server, run: Runner) -> None:
    async def main() -> None:
        async with client(server) as blooio:
            sent = await asyncio.gather(*(blooio.v2.messages.send("+15551234567", text="x") for _ in range(50)))
            assert [one.message_id for one in sent] == ["m1"] * 50

    run(main())


def test_a_call_beside_another_leaves_at_the_loops_next_turn(server: Server) -> None:
    async def main() -> None:
        async with client(server) as blooio:

            def send() -> asyncio.Task[Any]:
                return asyncio.create_task(blooio.v2.messages.send("+15551234567", text="x"))

            # Two connections at rest.
            await asyncio.gather(send(), send())
            other, call = send(), send()
            # Both begin in the same turn as the next line.
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await call
            assert_in_doubt(cancelled.value, doubt=False)
            await other
            assert len(server.requests) == 3

    asyncio.run(main())


@every_loop
def test_cancelling_a_task_closes_its_socket(server: Server, run: Runner) -> None:
    async def main() -> None:
        blooio = client(server)
        task = asyncio.ensure_future(blooio.v2.request("POST", "/silence", body={}))
        await asyncio.to_thread(server.asked.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert await asyncio.to_thread(server.hung_up.wait, 5)
        assert_in_doubt(caught.value)

    run(main())


@every_loop
def test_cancelling_a_task_that_has_no_connection_yet(run: Runner) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            blooio = AsyncBlooio(api_key="k", base_url=f"https://127.0.0.1:{listener.getsockname()[1]}")
            task = asyncio.ensure_future(blooio.v2.request("POST", "/silence", body={}))
            connection, _ = await asyncio.to_thread(listener.accept)
            task.cancel()
            with connection, pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert_in_doubt(caught.value, doubt=False)

    run(main())


@every_loop
def test_wait_for_closes_the_socket_and_says_what_is_known(server: Server, run: Runner) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError) as caught:
            await asyncio.wait_for(client(server).v2.request("POST", "/silence", body={}), 1)
        assert_in_doubt(caught.value.__cause__)
        assert await asyncio.to_thread(server.hung_up.wait, 5)

    run(main())


def test_the_clients_own_timeout(server: Server) -> None:
    with Blooio(api_key="k", base_url=server.url, max_retries=0) as blooio, pytest.raises(APITimeoutError) as caught:
        blooio.v2.request("POST", "/silence", body={}, timeout=1)
    assert caught.value.maybe_sent
    assert caught.value.idempotency_key
    assert server.hung_up.wait(5)


@every_loop
def test_an_answer_in_time_is_one_although_the_loop_was_blocked(server: Server, run: Runner) -> None:
    async def main() -> None:
        async with client(server) as blooio:
            # Making a connection takes turns of the loop; the next call has one.
            await blooio.v2.messages.send("+15551234567", text="first")
            sending = asyncio.ensure_future(blooio.v2.messages.send("+15551234567", text="second", timeout=0.5))
            await asyncio.sleep(0)
            server.wait_for_requests(2)
            time.sleep(1)
            assert (await sending).message_id == "m1"

    run(main())


def test_loops_closed_in_mid_call_leave_nothing_behind(server: Server) -> None:
    lost: list[asyncio.Future[Any]] = []

    async def start() -> None:
        lost.append(asyncio.ensure_future(client(server).v2.request("GET", "/silence")))
        await asyncio.to_thread(server.asked.wait, 5)

    async def next_loop() -> None:
        assert (await client(server).v2.request("GET", "/x"))["ok"]

    for _ in range(50):
        server.asked.clear()
        loop = asyncio.new_event_loop()
        loop.run_until_complete(start())
        loop.close()
        lost.clear()
    asyncio.run(next_loop())
    gc.collect()
    server.wait_for_connections(0)


@every_loop
def test_cancelling_at_any_moment(server: Server, run: Runner) -> None:
    """Whoever is cancelled knows whether the service may have heard of it."""
    unsent: set[str] = set()

    async def send(blooio: AsyncBlooio, cycles: int) -> None:
        task = asyncio.ensure_future(blooio.v2.messages.send("+15551234567", text="x"))
        for _ in range(cycles):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            # A task that never began has nothing to tell, and one that hardly did has no key.
            if not getattr(error, "maybe_sent", True):
                unsent.add(getattr(error, "idempotency_key") or "none")

    async def main() -> None:
        async with client(server) as blooio:
            for cycles in range(200):
                await send(blooio, cycles)
            await blooio.v2.request("GET", "/x")

    run(main())
    assert not unsent & {request.headers.get("idempotency-key") for request in server.requests}


@UNIX
def test_many_loops_leak_no_descriptor(server: Server) -> None:
    blooio = client(server)

    async def call() -> None:
        assert (await blooio.v2.request("GET", "/x"))["ok"]

    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/dev/fd"))

    asyncio.run(call())
    before = descriptors()
    for _ in range(30):
        asyncio.run(call())
    assert eventually(lambda: descriptors() <= before + 2), (before, descriptors())


def test_two_loops_in_two_threads_share_a_client(server: Server) -> None:
    blooio = client(server)
    done: list[int] = []

    async def calls() -> None:
        for _ in range(20):
            await blooio.v2.request("GET", "/x")
        done.append(20)

    threads = [threading.Thread(target=lambda: asyncio.run(calls())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [20, 20]


def test_loops_that_come_and_go_in_many_threads() -> None:
    failed: list[BaseException] = []
    end = time.monotonic() + 2

    async def call() -> None:
        await scripted(AsyncBlooio, [{"status": 200, "json": {}}]).v2.request("GET", "/x")

    def work() -> None:
        try:
            while time.monotonic() < end:
                asyncio.run(call())
        except BaseException as error:
            failed.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        sys.setswitchinterval(interval)
    assert not failed


@UNIX
def test_a_descriptor_lost_to_someone_else_fails_its_calls() -> None:
    watched: list[int] = []
    answer = threading.Event()

    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
            watched.append(fd)
            super().add_reader(fd, callback, *args)

    def late(_: Request) -> Reply:
        answer.wait(10)
        return (200, {})

    async def main() -> None:
        with Server(late) as server:
            blooio = client(server)
            tasks = [asyncio.ensure_future(blooio.v2.request("POST", "/x", body={})) for _ in range(2)]
            await asyncio.to_thread(server.wait_for_requests, 2)
            with open(os.devnull, "rb") as other:
                os.dup2(other.fileno(), watched[-1])
            answer.set()
            for outcome in await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10):
                assert isinstance(outcome, BloomChatsError) and isinstance(outcome.__cause__, OSError)
                assert outcome.kind == "internal"
                assert_in_doubt(outcome)
            assert await client(server).v2.request("GET", "/x") == {}

    loop = Loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_trio_gets_a_clear_error(server: Server) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> None:
        with pytest.raises(ConfigError, match=r"trio\.to_thread"):
            await client(server).v2.request("GET", "/x")

    trio.run(main)


def test_waiting_for_a_retry_can_be_cancelled() -> None:
    async def main() -> None:
        with Server(lambda _: (503, {})) as server:
            task = asyncio.ensure_future(client(server).v2.request("GET", "/x", max_retries=10))
            await asyncio.to_thread(server.asked.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            seen = len(server.requests)
            await asyncio.sleep(1)
            assert len(server.requests) <= seen + 1

    asyncio.run(main())


def test_scripted_calls_need_no_socket() -> None:
    async def main() -> None:
        script = scripted(AsyncBlooio, [{"status": 503}, {"status": 202, "json": {"message_id": "m1"}}])
        sent = await script.v2.messages.send("+15551234567", text="x")
        assert sent.message_id == "m1"
        assert script.waits_ms == [250]
        assert len(script.requests) == 2

    asyncio.run(main())
