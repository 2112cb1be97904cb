"""Calls that do not come to their end: their sockets close, and what is known about them is told."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from bloomchats import APITimeoutError, AsyncBlooio, Blooio, ConfigError
from bloomchats.testing import scripted
from server import Server, eventually

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


def assert_in_doubt(error: BaseException | None) -> None:
    """It says that a POST may have arrived, and under which key. Tasks of Python 3.10 wrap it in another of its kind."""
    if not hasattr(error, "maybe_sent"):
        assert error is not None and sys.version_info < (3, 11)
        error = error.__context__
    assert getattr(error, "maybe_sent", None) is True
    assert len(getattr(error, "idempotency_key", "")) == 36


def signal_once_asked(server: Server) -> None:
    def work() -> None:
        server.asked.wait(5)
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=work, daemon=True).start()


@every_loop
def test_many_calls_at_once(server: Server, run: Runner) -> None:
    async def main() -> None:
        async with client(server) as blooio:
            sent = await asyncio.gather(*(blooio.v2.messages.send("+15551234567", text="x") for _ in range(50)))
            assert [one.message_id for one in sent] == ["m1"] * 50

    run(main())


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


def test_a_loop_closed_in_mid_call_leaves_nothing_behind(server: Server) -> None:
    async def start(blooio: AsyncBlooio) -> None:
        blooio.lost = asyncio.ensure_future(blooio.v2.request("GET", "/silence"))  # type: ignore[attr-defined]  # pyright: ignore
        await asyncio.to_thread(server.asked.wait, 5)

    blooio = client(server)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(start(blooio))
    loop.close()
    del blooio.lost  # type: ignore[attr-defined]  # pyright: ignore

    async def next_loop() -> None:
        assert (await client(server).v2.request("GET", "/x"))["ok"]

    asyncio.run(next_loop())
    gc.collect()
    assert server.hung_up.wait(5)


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


def test_trio_gets_a_clear_error(server: Server) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> None:
        with pytest.raises(ConfigError, match=r"trio\.to_thread"):
            await client(server).v2.request("GET", "/x")

    trio.run(main)


@UNIX
def test_a_signal_ends_a_synchronous_call_at_once(server: Server) -> None:
    class Stop(Exception):
        pass

    def handler(*_: object) -> None:
        raise Stop

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        blooio = Blooio(api_key="k", base_url=server.url)
        signal_once_asked(server)
        with pytest.raises(Stop) as caught:
            blooio.v2.request("POST", "/silence", body={})
        assert server.hung_up.wait(5)
        assert_in_doubt(caught.value)
    finally:
        signal.signal(signal.SIGUSR1, previous)


@UNIX
def test_a_signal_handler_may_make_calls(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    told: list[Any] = []

    def handler(*_: object) -> None:
        told.append(blooio.v2.request("GET", "/from-the-handler")["ok"])

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        signal_once_asked(server)
        with pytest.raises(APITimeoutError):
            blooio.v2.request("GET", "/silence", timeout=0.5, max_retries=0)
        assert told == [True]
    finally:
        signal.signal(signal.SIGUSR1, previous)


@UNIX
def test_ctrl_c_ends_a_program_within_100_ms(server: Server) -> None:
    program = f"""
import time
from bloomchats import Blooio
try:
    Blooio(api_key="k", base_url={server.url!r}).v2.request("POST", "/silence", body={{}})
except KeyboardInterrupt as stop:
    print("stopped", stop.maybe_sent, time.time(), flush=True)
"""
    delays: list[float] = []
    for _ in range(3):  # a busy machine may be late once
        server.asked.clear()
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert server.asked.wait(10)
            time.sleep(0.1)
            pressed = time.time()
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=10)
        word, maybe_sent, moment = told.split()
        assert (word, maybe_sent, process.returncode) == ("stopped", "True", 0)
        delays.append(float(moment) - pressed)
    assert min(delays) < 0.1, delays
    assert server.hung_up.wait(5)


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
