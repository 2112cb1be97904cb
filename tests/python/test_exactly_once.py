"""Whatever becomes of each attempt, the recipient has one message, or the caller an error that says what may have happened.

A sample of schedules over real connections to the sandbox. All of them, on virtual time, are for the core's own tests.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import queue
import random
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pytest
from bloomchats import AsyncBlooio, Blooio, BloomChatsError
from bloomchats.testing import Sandbox
from server import eventually

AT_ONCE = 24
LINE = "+12025550101"


@dataclass(frozen=True)
class Step:
    """What becomes of an attempt. `handled`: the service did what was asked. `then`: what the client has of it."""

    fault: str
    handled: bool
    then: Literal["answer", "refusal", "later", "doubt"]


FAULTS = [
    Step("drop", False, "doubt"),
    Step("drop_answer", True, "doubt"),
    Step("reset", False, "doubt"),
    Step("reset_answer", True, "doubt"),
    Step("half_answer", True, "doubt"),
    Step("slow_answer;bytes=1;ms=500", True, "doubt"),
    Step("slow_answer;bytes=40;ms=1", True, "answer"),
    Step("status;status=500", False, "doubt"),
    Step("status_answer;status=503", True, "doubt"),
    Step("status;status=403;code=forbidden", False, "refusal"),
    Step("throttle;retry_after=0", False, "later"),
]
PASS = Step("pass", True, "answer")
SLOWER_THAN_ITS_TIME = FAULTS[5]

Call: TypeAlias = Callable[[Any], Any]
"""A call of a client that it is given, synchronous or not."""
Do: TypeAlias = Callable[[Call], Any]
"""Makes a call, and waits for what comes of it."""


@dataclass
class Place:
    """Where one case takes place: a person of its own in a shared world."""

    world: Sandbox
    blooio: Blooio
    number: int
    given: str = ""
    """What was there before."""
    story: str = ""

    @property
    def phone(self) -> str:
        return f"+1555{1_000_000 + self.number}"

    @property
    def text(self) -> str:
        return f"text {self.number}"


def inbox(at: Place) -> int:
    return sum(message.text == at.text for message in at.world.phone(at.phone).inbox)


def reactions(at: Place) -> int:
    return len(at.blooio.v2.messages.get(at.phone, at.given).raw["reactions"])


def contacts(at: Place) -> int:
    return sum(contact.identifier == at.phone for contact in at.blooio.v2.contacts.list(q=at.phone))


@dataclass(frozen=True)
class Operation:
    """Something that is made: how, and how often it was."""

    make: Callable[[Any, Place, dict[str, Any]], Any]
    count: Callable[[Place], int] = inbox
    before: Callable[[Place], str] = field(default=lambda _: "")
    trusted: bool = True
    """The service knows a key again."""


OPERATIONS = {
    "v2 send": Operation(lambda blooio, at, how: blooio.v2.messages.with_response.send(at.phone, text=at.text, **how)),
    "v4 send": Operation(
        lambda blooio, at, how: blooio.v4.messages.with_response.send(to=at.phone, from_=LINE, text=at.text, **how)
    ),
    "v4 send to a channel": Operation(
        lambda blooio, at, how: blooio.v4.messages.with_response.send_to_channel(LINE, to=at.phone, text=at.text, **how)
    ),
    "v4 send to a chat": Operation(
        lambda blooio, at, how: blooio.v4.messages.with_response.send_to_chat(at.given, text=at.text, **how),
        before=lambda at: at.blooio.v4.messages.send(to=at.phone, from_=LINE, text="before").raw["chat_id"],
    ),
    "v2 reaction": Operation(
        lambda blooio, at, how: blooio.v2.reactions.with_response.add(at.phone, at.given, reaction="+love", **how),
        count=reactions,
        before=lambda at: str(at.blooio.v2.messages.send(at.phone, text="before").message_id),
        trusted=False,
    ),
    "v2 contact": Operation(
        lambda blooio, at, how: blooio.v2.contacts.with_response.create(identifier=at.phone, **how),
        count=contacts,
        trusted=False,
    ),
}
every_operation = pytest.mark.parametrize("name", OPERATIONS)


@dataclass(frozen=True)
class Foretold:
    sent: bool
    attempts: int
    handled: int
    doubt: bool


def foretold(schedule: Sequence[Step], trusted: bool) -> Foretold:
    """What must come of it with one retry, by the rules as a reader of the README would put them."""
    handled, doubt = 0, False
    for attempts, step in enumerate([*schedule, PASS], 1):
        handled += step.handled
        doubt = doubt or step.then in ("doubt", "answer")
        again = step.then == "later" or step.then == "doubt" and trusted
        if not again or attempts == 2:
            return Foretold(step.then == "answer", attempts, handled, doubt)
    raise AssertionError(schedule)


def play(do: Do, operation: Operation, at: Place, schedule: Sequence[Step]) -> None:
    at.story = f"{at.number}: {', '.join(step.fault for step in schedule)}"
    at.given = operation.before(at)
    expected = foretold(schedule, operation.trusted)
    how: dict[str, Any] = {"headers": {"x-sandbox-fault": ", ".join(step.fault for step in schedule)}}
    if SLOWER_THAN_ITS_TIME in schedule:
        how["attempt_timeout"] = 3
    try:
        end = do(lambda client: operation.make(client, at, how))
    except BloomChatsError as error:
        end = error
    assert operation.count(at) == min(expected.handled, 1), f"{at.story}: what is there afterwards"
    assert end.attempts == expected.attempts, f"{at.story}: {end!r}"
    assert expected.handled <= (2 if operation.trusted else 1), f"{at.story}: repeated without protection"
    if expected.sent:
        assert not isinstance(end, BloomChatsError), f"{at.story}: {end!r}"
        return
    assert isinstance(end, BloomChatsError), at.story
    assert end.maybe_sent == expected.doubt, f"{at.story}: maybe_sent"
    assert expected.handled == 0 or end.maybe_sent, f"{at.story}: lost in silence"
    resume(do, operation, at, end.idempotency_key, end.maybe_sent)


def resume(do: Do, operation: Operation, at: Place, key: str | None, maybe_sent: bool) -> None:
    """Whoever is told that it was not sent, or whose key is known again, may go on; and then it is there once."""
    if maybe_sent and not operation.trusted:
        return
    do(lambda client: operation.make(client, at, {"idempotency_key": key}))
    assert operation.count(at) == 1, f"{at.story}: after it was resumed"


@contextmanager
def doing(world: Sandbox, kind: str, loop: asyncio.AbstractEventLoop, **settings: Any) -> Generator[Do, None, None]:
    """Makes calls of a client, here or on the loop."""
    if kind == "sync":
        with world.blooio(**settings) as blooio:
            yield lambda call: call(blooio)
    else:
        client = AsyncBlooio(api_key=world.blooio_api_key, base_url=world.url, **settings)
        yield lambda call: asyncio.run_coroutine_threadsafe(call(client), loop).result(60)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def world(sandbox: Sandbox) -> Sandbox:
    return sandbox.namespace()


@every_operation
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_one_fault_or_two_in_a_row(world: Sandbox, loop: asyncio.AbstractEventLoop, kind: str, name: str) -> None:
    pairs = [[first, second] for first in FAULTS for second in FAULTS]
    # The first operation stands for its class with all pairs, the others with every fourth.
    chance = random.Random(name)
    schedules = [[fault] for fault in FAULTS] + [pair for pair in pairs if name == "v2 send" or chance.random() < 0.25]
    cases: queue.SimpleQueue[tuple[int, Sequence[Step]]] = queue.SimpleQueue()
    for case in enumerate(schedules):
        cases.put(case)

    def player(_: int) -> int:
        played = 0
        # A client of its own each, as the budget of retries is a client's. Its first call takes long enough to upset an attempt's timeout.
        with doing(world, kind, loop, max_retries=1) as do, world.blooio() as blooio:
            do(lambda client: client.v2.me.get())
            while not cases.empty():
                try:
                    number, schedule = cases.get_nowait()
                except queue.Empty:
                    break
                play(do, OPERATIONS[name], Place(world, blooio, number), schedule)
                played += 1
        return played

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(player, range(AT_ONCE))) == len(schedules)


class Cancelling:
    """Calls on a loop that are cancelled from outside, each in a place of its own."""

    def __init__(self, world: Sandbox, loop: asyncio.AbstractEventLoop, operation: Operation) -> None:
        self.world = world
        self.operation = operation
        self._loop = loop
        self._client = AsyncBlooio(api_key=world.blooio_api_key, base_url=world.url)
        self._blooio = world.blooio()
        self._numbers = itertools.count()

    def places(self, count: int) -> list[Place]:
        places = [Place(self.world, self._blooio, next(self._numbers)) for _ in range(count)]
        for at in places:
            at.given = self.operation.before(at)
        return places

    def begin(self, places: list[Place], **how: Any) -> list[tuple[Place, asyncio.Task[Any]]]:
        """A call in each place, all at once."""

        async def begun() -> list[asyncio.Task[Any]]:
            return [asyncio.ensure_future(self.operation.make(self._client, at, how)) for at in places]

        return list(zip(places, self._on_loop(begun())))

    def cancel(self, task: asyncio.Task[Any], after: float = 0) -> Any:
        """The error of a call that is cancelled; nothing when it was over before."""

        async def cancel() -> BaseException | None:
            await asyncio.sleep(after)
            task.cancel()
            await asyncio.wait([task])
            try:
                task.result()
            except asyncio.CancelledError as error:
                # Tasks of Python 3.10 wrap the one that knows.
                return error if hasattr(error, "maybe_sent") else error.__context__
            return None

        return self._on_loop(cancel())

    def is_there(self, at: Place) -> bool:
        return self.operation.count(at) == 1

    def settle(self, at: Place, error: Any) -> int:
        """How often a cancelled call had its effect. Then it is taken up again."""
        made = self.operation.count(at)
        if error is not None:
            assert made == 0 or made == 1 and error.maybe_sent, f"{at.number}: {made} made, {error.maybe_sent}"
            resume(self._do, self.operation, at, error.idempotency_key, error.maybe_sent)
        return made

    def _do(self, call: Call) -> Any:
        return self._on_loop(call(self._client))

    def _on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@pytest.fixture
def cancelling(world: Sandbox, loop: asyncio.AbstractEventLoop, name: str) -> Cancelling:
    return Cancelling(world, loop, OPERATIONS[name])


@every_operation
def test_cancelled_when_it_has_arrived(cancelling: Cancelling) -> None:
    faults, places = cancelling.world.faults, cancelling.places(10)
    faults.replace([{"action": "delay", "ms": 60_000, "times": None}])
    begun = cancelling.begin(places)
    assert eventually(lambda: faults.script[0].get("hits") == 10, 20)
    cancelled = [cancelling.cancel(task) for _, task in begun]
    faults.clear()
    assert [cancelling.settle(at, error) for at, error in zip(places, cancelled)] == [0] * 10
    assert all(error is not None and error.maybe_sent for error in cancelled)


@every_operation
def test_cancelled_when_it_was_handled(cancelling: Cancelling) -> None:
    begun = cancelling.begin(cancelling.places(10), headers={"x-sandbox-fault": "delay_answer;ms=60000"})
    for at, _ in begun:
        assert eventually(functools.partial(cancelling.is_there, at), 20)
    assert [cancelling.settle(at, cancelling.cancel(task)) for at, task in begun] == [1] * 10


@every_operation
def test_cancelled_at_any_moment(cancelling: Cancelling) -> None:
    chance = random.Random(13)
    for _ in range(5):
        for at, task in cancelling.begin(cancelling.places(10), headers={"x-sandbox-fault": "delay_answer;ms=5"}):
            assert cancelling.settle(at, cancelling.cancel(task, after=chance.random() / 50)) <= 1


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of Unix")
def test_interrupted_at_any_moment(world: Sandbox) -> None:
    """Ctrl-C in a synchronous call. Where it strikes outside of one, nothing is known of any."""
    operation, blooio, chance = OPERATIONS["v2 send"], world.blooio(), random.Random(13)
    blooio.v2.me.get()
    struck = 0
    for number in range(50):
        at = Place(world, blooio, number)
        pressing = threading.Timer(chance.random() / 10, os.kill, [os.getpid(), signal.SIGINT])
        try:
            try:
                pressing.start()
                operation.make(blooio, at, {"headers": {"x-sandbox-fault": "delay_answer;ms=60"}})
            finally:
                while pressing.is_alive():
                    time.sleep(0.001)
        except KeyboardInterrupt as interrupt:
            told: Any = interrupt
            made = operation.count(at)
            if hasattr(told, "maybe_sent"):
                struck += made
                assert made == 0 or made == 1 and told.maybe_sent
                resume(lambda call: call(blooio), operation, at, told.idempotency_key, told.maybe_sent)
    assert struck
