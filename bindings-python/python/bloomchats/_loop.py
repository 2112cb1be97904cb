"""Calls on an event loop: one queue of completions a loop, woken through a descriptor the loop watches."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import os
import weakref
from collections import deque
from contextlib import suppress

from bloomchats import _native, _observe
from bloomchats._call import written
from bloomchats._errors import BloomChatsError
from bloomchats._failure import error_of, mark
from bloomchats._key import key_of
from bloomchats._lazy import TypeVar, cast
from bloomchats.generated.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bloomchats._call import Given, Models

R = TypeVar("R")


class _Bridge:
    """A loop's queue and the calls that wait for it. Holds no reference to the loop: the loop holds this."""

    __slots__ = ("__weakref__", "arrived", "asked", "asking", "numbers", "queue", "telling", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.numbers = itertools.count(1)
        self.waiting: dict[int, asyncio.Future[_native.Answer | _native.Failure]] = {}
        self.asked: dict[int, tuple[contextvars.Context, Callable[[], object]]] = {}
        """Who supplies the key of a call, and the context of that call."""
        self.asking: dict[int, asyncio.Future[object]] = {}
        """Asynchronous suppliers at work."""
        self.telling: dict[int, Callable[[], None]] = {}
        """Hands a call's events to its watcher."""
        self.arrived: deque[tuple[int, _native.Answer | _native.Failure | _native.Question | None]] = deque()
        try:
            self.queue = _native.Queue()
            loop.add_reader(self.queue.fileno(), self.drain)
        except (NotImplementedError, OSError):
            # Windows' proactor loop watches no descriptors.
            self.queue = _native.Queue(_waker(weakref.ref(loop), weakref.WeakMethod(self.drain)))

    def drain(self) -> None:
        try:
            self.arrived.extend(self.queue.drain())
        except Exception as error:
            self._give_up(error)
        try:
            while self.arrived:
                self._take(*self.arrived.popleft())
        finally:
            # Somebody's code was interrupted: the others' answers must not be lost with it.
            if self.arrived:
                asyncio.get_running_loop().call_soon(self.drain)

    def _take(self, number: int, event: _native.Answer | _native.Failure | _native.Question | None) -> None:
        if isinstance(event, (_native.Answer, _native.Failure)):
            if (future := self.waiting.get(number)) is not None and not future.done():
                future.set_result(event)
        elif event is None:
            if (tell := self.telling.get(number)) is not None:
                tell()
        elif (asked := self.asked.get(number)) is not None:
            context, supplier = asked
            context.run(self._ask, supplier, number, event)

    def _ask(self, supplier: Callable[[], object], number: int, question: _native.Question) -> None:
        try:
            key = supplier()
            if inspect.isawaitable(key):
                # A future of the supplier's own may be what other calls wait for as well: it outlives this one.
                asking = asyncio.shield(key) if asyncio.isfuture(key) else asyncio.ensure_future(key)
                asking.add_done_callback(lambda asked: _settle(question, asked))
                self.asking[number] = asking
            else:
                question.answer(key_of(key))
        except (Exception, asyncio.CancelledError) as error:
            question.fail(error)

    def ask_no_more(self, number: int) -> None:
        self.asked.pop(number, None)
        asking = self.asking.pop(number, None)
        if asking is not None:
            # A loop that was closed meanwhile cancels nothing any more.
            with suppress(RuntimeError):
                asking.cancel()

    def _give_up(self, cause: Exception) -> None:
        """Fails every call, as the queue cannot drive them any further. The loop's next call gets a new one."""
        loop = asyncio.get_running_loop()
        _bridges.pop(loop, None)
        with suppress(NotImplementedError, OSError, ValueError):
            loop.remove_reader(self.queue.fileno())
        for future in self.waiting.values():
            if not future.done():
                error = BloomChatsError("internal error in bloomchats; please report it")
                error.__cause__ = cause
                future.set_exception(error)


def _waker(
    loop: weakref.ref[asyncio.AbstractEventLoop], drain: weakref.WeakMethod[Callable[[], None]]
) -> Callable[[], None]:
    """Runs on a runtime thread. Weak on both sides, because the native queue that holds it is opaque to the collector."""

    def wake() -> None:
        living, work = loop(), drain()
        if living is not None and work is not None and not living.is_closed():
            living.call_soon_threadsafe(work)

    return wake


def _settle(question: _native.Question, asked: asyncio.Future[object]) -> None:
    failed = None if asked.cancelled() else asked.exception()
    if failed is not None:
        # Not raised, as an interrupt has gone its way through the loop already.
        question.fail(failed)
        return
    try:
        question.answer(key_of(asked.result()))
    except (Exception, asyncio.CancelledError) as error:
        question.fail(error)


_bridges: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bridge] = weakref.WeakKeyDictionary()

if hasattr(os, "register_at_fork"):
    # A child that goes on with its parent's loop needs a queue of its own.
    os.register_at_fork(after_in_child=_bridges.clear)


def _running_bridge() -> tuple[asyncio.AbstractEventLoop, _Bridge]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "asynchronous clients need a running asyncio or uvloop event loop; "
            "under trio, call a synchronous client from trio.to_thread.run_sync"
        ) from None
    bridge = _bridges.get(loop)
    if bridge is None:
        _sweep()
        bridge = _bridges[loop] = _Bridge(loop)
    return loop, bridge


def _sweep() -> None:
    """Lets go of loops that were closed with calls in flight: those calls hold their loop, and nobody ends them."""
    # Other threads add theirs meanwhile: only this list of references is made in one go.
    for reference in _bridges.keyrefs():
        loop = reference()
        if loop is not None and loop.is_closed() and (bridge := _bridges.pop(loop, None)) is not None:
            bridge.waiting.clear()
            bridge.asked.clear()
            bridge.asking.clear()
            bridge.telling.clear()


async def run(
    start: Callable[..., _native.Pending | None],
    given: Given,
    api_key: Callable[[], object] | None,
    models: Models,
    read: Callable[..., R],
    *rest: object,
) -> R:
    """Runs a call that `start` starts, and reads its answer. Cancelling the awaiting task closes the request's connection. The
    `CancelledError`, and whatever else is raised meanwhile, carries `idempotency_key` and `maybe_sent`."""
    loop, bridge = _running_bridge()
    number = next(bridge.numbers)
    watch = _observe.watch()
    # What the call tells, however early, waits in the queue until the loop goes on.
    place = bridge.queue, number, watch is not None
    pending = start(*place, *given) or cast("_native.Pending", start(*place, *written(*given)))
    future: asyncio.Future[_native.Answer | _native.Failure] = loop.create_future()
    bridge.waiting[number] = future
    if api_key is not None:
        bridge.asked[number] = contextvars.copy_context(), api_key
    if watch is not None:
        # In the caller's context, whose ids of requests and traces belong into its log.
        context = contextvars.copy_context()
        bridge.telling[number] = lambda: context.run(_observe.tell, watch, pending.events())
    try:
        outcome = await future
        if isinstance(outcome, _native.Answer):
            return read(outcome, *rest)
    except BaseException as error:
        pending.cancel()
        mark(error, pending)
        raise
    finally:
        bridge.waiting.pop(number, None)
        if api_key is not None:
            bridge.ask_no_more(number)
        if watch is not None:
            bridge.telling.pop(number, None)
            # One that failed for want of a key may have its last events still to come.
            pending.cancel()
            _observe.tell(watch, pending.events())
    raise error_of(outcome, models)
