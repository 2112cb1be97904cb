"""Keys that a callable supplies."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bloomchats import AsyncBlooio, AuthenticationError, Blooio, ConfigError
from bloomchats.testing import scripted
from processes import run
from server import Reply, Request, Server


def _only_second(request: Request) -> Reply:
    return (200, {"ok": True}) if request.headers["authorization"] == "Bearer second" else (401, {"error": "no"})


@pytest.fixture
def picky() -> Iterator[Server]:
    """Takes the key `second` and no other."""
    with Server(_only_second) as server:
        yield server


def test_a_callable_is_asked_again_after_a_401(picky: Server) -> None:
    keys = iter(["first", "second"])
    assert Blooio(api_key=lambda: next(keys), base_url=picky.url).v2.request("GET", "/x")["ok"]
    assert len(picky.requests) == 2


def test_asynchronous_callables(picky: Server) -> None:
    async def main() -> None:
        for style in (False, True):
            keys = iter(["first", "second"])

            async def later(keys: Iterator[str] = keys) -> str:
                await asyncio.sleep(0.01)
                return next(keys)

            api_key = later if style else lambda keys=keys: next(keys)
            assert (await AsyncBlooio(api_key=api_key, base_url=picky.url).v2.request("GET", "/x"))["ok"]

    asyncio.run(main())
    assert len(picky.requests) == 4


def test_a_callable_runs_in_the_context_of_its_call(picky: Server) -> None:
    account = contextvars.ContextVar("account", default="nobody")
    asked: list[str] = []

    def key() -> str:
        asked.append(account.get())
        return "second"

    async def later() -> str:
        await asyncio.sleep(0)
        return key()

    async def call(client: AsyncBlooio, name: str) -> None:
        account.set(name)
        await client.v2.request("GET", "/x")

    async def main() -> None:
        for supplier in (key, later):
            client = AsyncBlooio(api_key=supplier, base_url=picky.url)
            await asyncio.gather(*(call(client, name) for name in "abc"))

    asyncio.run(main())
    assert sorted(asked) == sorted("abcabc")


def test_the_same_key_again_raises(picky: Server) -> None:
    with pytest.raises(AuthenticationError):
        Blooio(api_key=lambda: "first", base_url=picky.url).v2.request("GET", "/x")
    assert len(picky.requests) == 1


def test_a_callable_that_raises_is_the_cause() -> None:
    def refuse() -> str:
        raise LookupError("vault is sealed")

    async def main() -> None:
        with pytest.raises(ConfigError) as caught:
            await scripted(AsyncBlooio, [], api_key=refuse).v2.request("GET", "/x")
        assert isinstance(caught.value.__cause__, LookupError)

    with pytest.raises(ConfigError) as caught:
        scripted(Blooio, [], api_key=refuse).v2.request("GET", "/x")
    assert isinstance(caught.value.__cause__, LookupError)
    assert "sealed" not in str(caught.value)
    asyncio.run(main())


def test_what_is_no_key_is_refused_without_echo() -> None:
    def number() -> str:
        return 5  # type: ignore[return-value]  # pyright: ignore

    async def main() -> None:
        with pytest.raises(ConfigError) as caught:
            await scripted(AsyncBlooio, [], api_key=number).v2.request("GET", "/x")
        assert isinstance(caught.value.__cause__, TypeError)

    with pytest.raises(ConfigError) as caught:
        scripted(Blooio, [], api_key=number).v2.request("GET", "/x")
    assert isinstance(caught.value.__cause__, TypeError)
    with pytest.raises(ConfigError) as caught:
        scripted(Blooio, [], api_key=lambda: "se cret\n").v2.request("GET", "/x")
    assert "cret" not in str(caught.value)
    asyncio.run(main())


def test_an_interrupt_in_the_callable_passes_through() -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scripted(Blooio, [], api_key=interrupted).v2.request("GET", "/x")


def test_a_callable_may_use_another_client(picky: Server) -> None:
    inner = Blooio(api_key="second", base_url=picky.url)

    def key() -> str:
        assert inner.v2.request("GET", "/key")["ok"]
        return "second"

    assert Blooio(api_key=key, base_url=picky.url).v2.request("GET", "/x")["ok"]


def test_cancelling_a_call_cancels_its_question() -> None:
    async def main() -> None:
        asked, cancelled = asyncio.Event(), asyncio.Event()

        async def never() -> str:
            asked.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return "k"

        task = asyncio.ensure_future(scripted(AsyncBlooio, [], api_key=never).v2.request("GET", "/x"))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(cancelled.wait(), 5)

    asyncio.run(main())


async def _cancelled() -> str:
    raise asyncio.CancelledError


def _cancelled_at_once() -> str:
    raise asyncio.CancelledError


async def _waiting_for_what_was_cancelled() -> str:
    other = asyncio.ensure_future(asyncio.sleep(60, "k"))
    asyncio.get_running_loop().call_soon(other.cancel)
    return await other


@pytest.mark.parametrize("key", [_cancelled, _cancelled_at_once, _waiting_for_what_was_cancelled])
def test_a_callable_that_was_cancelled_fails_its_call_at_once(key: Callable[[], Any]) -> None:
    async def main() -> None:
        with pytest.raises(ConfigError) as caught:
            await scripted(AsyncBlooio, [], api_key=key).v2.request("GET", "/x")
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)

    asyncio.run(main())


def test_a_task_that_is_the_answer_of_many_questions_outlives_each_of_them(picky: Server) -> None:
    async def main() -> None:
        asked, refreshed = asyncio.Event(), asyncio.Event()

        async def refresh() -> str:
            await refreshed.wait()
            return "second"

        refreshing = asyncio.ensure_future(refresh())

        def key() -> asyncio.Future[str]:
            asked.set()
            return refreshing

        blooio = AsyncBlooio(api_key=key, base_url=picky.url)
        first, *others = (asyncio.ensure_future(blooio.v2.request("GET", "/x")) for _ in range(5))
        await asyncio.wait_for(asked.wait(), 5)
        first.cancel()
        await asyncio.wait([first])
        refreshed.set()
        assert [answer["ok"] for answer in await asyncio.gather(*others)] == [True] * 4
        assert first.cancelled()

    asyncio.run(main())


def test_cancelling_at_any_moment_leaves_no_coroutine_unawaited() -> None:
    async def key() -> str:
        return "k"

    async def main() -> None:
        for cycles in range(8):
            task = asyncio.ensure_future(scripted(AsyncBlooio, [{"status": 200, "json": {}}], api_key=key).v2.request("GET", "/x"))
            for _ in range(cycles):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(main())
        gc.collect()
    assert not [str(warning.message) for warning in told if "never awaited" in str(warning.message)]


def test_a_loop_closed_while_a_callable_works_says_nothing_of_ours() -> None:
    program = """
import asyncio, gc
from bloomchats import AsyncBlooio
from bloomchats.testing import scripted

async def main():
    asked = asyncio.Event()
    async def key():
        asked.set()
        await asyncio.sleep(60)
    task = asyncio.ensure_future(scripted(AsyncBlooio, [], api_key=key).v2.request("GET", "/x"))
    await asked.wait()

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
gc.collect()
asyncio.run(scripted(AsyncBlooio, [{"status": 200, "json": {}}]).v2.request("GET", "/x"))
gc.collect()
"""
    done = run(program)
    assert done.returncode == 0
    assert "Error" not in done.stderr, done.stderr


def test_a_client_that_is_its_own_key_supplier_is_collected() -> None:
    class Account:
        def __init__(self) -> None:
            self.client = scripted(Blooio, [{"status": 200, "json": {}}], api_key=self.key)

        def key(self) -> str:
            return "k"

    account = Account()
    account.client.v2.request("GET", "/x")
    gone = weakref.ref(account)
    del account
    gc.collect()
    assert gone() is None
