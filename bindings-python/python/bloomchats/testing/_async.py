"""The sandbox for coroutines: everything the synchronous one has, in threads, so that a loop that serves webhooks can serve
them meanwhile."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from bloomchats._async_client import AsyncApiKey, AsyncBloomChats, AsyncBlooio
from bloomchats._options import ClientOptions
from bloomchats.testing._clock import Clock
from bloomchats.testing._faults import Faults
from bloomchats.testing._phone import Phone
from bloomchats.testing._receiver import Receiver
from bloomchats.testing._sandbox import Sandbox

if TYPE_CHECKING:
    from typing_extensions import Unpack

P = ParamSpec("P")
R = TypeVar("R")


def _later(work: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    @functools.wraps(work)
    async def later(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(work, *args, **kwargs)

    return later


class AsyncClock:
    """`Clock`, awaited; what is a property there is a method here."""

    def __init__(self, clock: Clock) -> None:
        self.now: Final = _later(lambda: clock.now)
        self.frozen: Final = _later(lambda: clock.frozen)
        self.freeze: Final = _later(clock.freeze)
        self.run: Final = _later(clock.run)
        self.set: Final = _later(clock.set)
        self.advance: Final = _later(clock.advance)


class AsyncFaults:
    """`Faults`, awaited; what is a property there is a method here."""

    def __init__(self, faults: Faults) -> None:
        self.script: Final = _later(lambda: faults.script)
        self.add: Final = _later(faults.add)
        self.replace: Final = _later(faults.replace)
        self.clear: Final = _later(faults.clear)


class AsyncPhone:
    """`Phone`, awaited; what is a property there is a method here."""

    def __init__(self, phone: Phone) -> None:
        self.number: str = phone.number
        self.inbox: Final = _later(lambda: phone.inbox)
        self.write: Final = _later(phone.write)
        self.ask_poll: Final = _later(phone.ask_poll)
        self.vote: Final = _later(phone.vote)
        self.react: Final = _later(phone.react)
        self.start_typing: Final = _later(phone.start_typing)
        self.stop_typing: Final = _later(phone.stop_typing)
        self.read: Final = _later(phone.read)
        self.share_contact_card: Final = _later(phone.share_contact_card)
        self.rename_group: Final = _later(phone.rename_group)
        self.set_group_icon: Final = _later(phone.set_group_icon)


class AsyncReceiver:
    """`Receiver`, awaited; what is a property there is a method here."""

    def __init__(self, receiver: Receiver) -> None:
        self.url: str = receiver.url
        self.received: Final = _later(lambda: receiver.received)
        self.answer: Final = _later(receiver.answer)


class AsyncSandbox:
    """`Sandbox` for coroutines, from `async with Sandbox()` or `sandbox.asynchronous`.

    What is a property there and asks the sandbox is a method here. It ends with the sandbox it was made from.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.url: str = sandbox.url
        self.blooio_api_key: str = sandbox.blooio_api_key
        self.bloomchats_api_key: str = sandbox.bloomchats_api_key
        self.environment: dict[str, str] = sandbox.environment
        self.clock: AsyncClock = AsyncClock(sandbox.clock)
        self.faults: AsyncFaults = AsyncFaults(sandbox.faults)
        self.reset: Final = _later(sandbox.reset)
        self.requests: Final = _later(lambda: sandbox.requests)
        self.deliveries: Final = _later(lambda: sandbox.deliveries)
        self.switches: Final = _later(lambda: sandbox.switches)
        self.set_switches: Final = _later(sandbox.set_switches)
        self.set_limit: Final = _later(sandbox.set_limit)
        self.set_line: Final = _later(sandbox.set_line)
        self.close: Final = _later(sandbox.close)

    async def namespace(
        self,
        *,
        seed: int | None = None,
        switches: Mapping[str, Any] | None = None,
        now: int | None = None,
        frozen: bool | None = None,
    ) -> AsyncSandbox:
        """As of `Sandbox`."""
        make = functools.partial(self._sandbox.namespace, seed=seed, switches=switches, now=now, frozen=frozen)
        return AsyncSandbox(await asyncio.to_thread(make))

    def blooio(self, *, api_key: AsyncApiKey | None = None, **settings: Unpack[ClientOptions]) -> AsyncBlooio:
        """An asynchronous client of Blooio on this sandbox, with its key unless another, or a callable, is given."""
        here: ClientOptions = {**settings, "base_url": self.url}
        return AsyncBlooio(api_key=self.blooio_api_key if api_key is None else api_key, **here)

    def bloomchats(self, *, api_key: AsyncApiKey | None = None, **settings: Unpack[ClientOptions]) -> AsyncBloomChats:
        """An asynchronous client of BloomChats on this sandbox, with its key unless another, or a callable, is given."""
        here: ClientOptions = {**settings, "base_url": self.url}
        return AsyncBloomChats(api_key=self.bloomchats_api_key if api_key is None else api_key, **here)

    def phone(self, number: str) -> AsyncPhone:
        """A person, by E.164 number or email address."""
        return AsyncPhone(self._sandbox.phone(number))

    async def receiver(self, *, status: int = 200) -> AsyncReceiver:
        """A URL that takes webhooks and answers them with `status`."""
        return AsyncReceiver(await asyncio.to_thread(self._sandbox.receiver, status=status))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"
