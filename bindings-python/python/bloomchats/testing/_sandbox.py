"""The sandbox, as tests see it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from bloomchats._bloomchats import BloomChats
from bloomchats._client import ApiKey, Blooio
from bloomchats._options import ClientOptions
from bloomchats.testing._clock import Clock
from bloomchats.testing._control import Control, present, read
from bloomchats.testing._faults import Faults
from bloomchats.testing._logs import Delivery, LoggedRequest, delivery
from bloomchats.testing._phone import Phone
from bloomchats.testing._process import Process
from bloomchats.testing._receiver import Receiver

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bloomchats.testing._async import AsyncSandbox


class Sandbox:
    """A stand-in for the three services on this machine: the same answers, with state, and nobody gets a message.

    Found in `BLOOMCHATS_SANDBOX_URL`, where it becomes a namespace of its own; else started from the command that
    `BLOOMCHATS_BIN` names, the package `bloomchats-sandbox` installed, or PATH has. One that was started ends with the
    `with` block, with `close`, or with this process, even when that is killed.

        with Sandbox() as sandbox:
            greet(sandbox.blooio())
            assert sandbox.phone("+15551234567").inbox[0].text == "Hello"

    `async with Sandbox()` gives an `AsyncSandbox`, whose clients and methods are asynchronous.

    Args:
        seed: Decides the data: the same seed gives the same people, chats and contacts. 1 by default.
        switches: Vendor switches by name.
        now: Where its clock begins, in epoch milliseconds; the machine's time by default.
        frozen: Whether its clock begins frozen.

    Raises:
        SandboxError: When there is none, with how to install it; when what was started is none, or has not said within
            10 s where it is; or when a switch does not exist.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        switches: Mapping[str, Any] | None = None,
        now: int | None = None,
        frozen: bool | None = None,
    ) -> None:
        options = present(seed=seed, switches=switches, now=now, frozen=frozen)
        running = os.environ.get("BLOOMCHATS_SANDBOX_URL")
        if running:
            self._begin(None, Control(running.rstrip("/"), None).ask("POST", "/namespaces", options))
            return
        process = Process()
        facts = process.facts
        self._begin(process, Control(facts["url"], None).ask("POST", "/namespaces", options) if options else facts)
        self._owns = True

    def _begin(self, process: Process | None, facts: Mapping[str, str]) -> None:
        self._process = process
        self._owns = False
        self.url: str = facts["url"]
        """What clients take as `base_url`."""
        self.blooio_api_key: str = facts["blooio_api_key"]
        """The key of Blooio v2 and v4."""
        self.bloomchats_api_key: str = facts["bloomchats_api_key"]
        """The key of BloomChats."""
        self._control = Control(self.url, self.blooio_api_key)
        self.clock: Clock = Clock(self._control)
        """Its time."""
        self.faults: Faults = Faults(self._control)
        """What goes wrong."""

    def namespace(
        self,
        *,
        seed: int | None = None,
        switches: Mapping[str, Any] | None = None,
        now: int | None = None,
        frozen: bool | None = None,
    ) -> Sandbox:
        """New keys and a world of their own in the same process: parallel tests do not see each other. It ends with it.

        Args:
            seed: As of `Sandbox`; this one's by default. So are the others.
            switches: Vendor switches by name.
            now: Where its clock begins, in epoch milliseconds.
            frozen: Whether its clock begins frozen.
        """
        options = present(seed=seed, switches=switches, now=now, frozen=frozen)
        made = Sandbox.__new__(type(self))
        made._begin(self._process, self._control.ask("POST", "/namespaces", options))
        return made

    def blooio(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> Blooio:
        """A client of Blooio on this sandbox, with its key unless another, or a callable, is given."""
        here: ClientOptions = {**settings, "base_url": self.url}
        return Blooio(api_key=self.blooio_api_key if api_key is None else api_key, **here)

    def bloomchats(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> BloomChats:
        """A client of BloomChats on this sandbox, with its key unless another, or a callable, is given."""
        here: ClientOptions = {**settings, "base_url": self.url}
        return BloomChats(api_key=self.bloomchats_api_key if api_key is None else api_key, **here)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point `Blooio()` and `BloomChats()` here, in this process or another."""
        return {
            "BLOOIO_BASE_URL": self.url,
            "BLOOIO_API_KEY": self.blooio_api_key,
            "BLOOMCHATS_BASE_URL": self.url,
            "BLOOMCHATS_API_KEY": self.bloomchats_api_key,
        }

    def phone(self, number: str) -> Phone:
        """A person, by E.164 number or email address."""
        return Phone(self._control, number)

    def receiver(self, *, status: int = 200) -> Receiver:
        """A URL that takes webhooks and answers them with `status`."""
        return Receiver(self._control, self._control.ask("POST", "/receivers", {"status": status}))

    def reset(self, *, seed: int | None = None) -> None:
        """Everything as it was made, except the keys; with another seed, other data."""
        self._control.ask("POST", "/reset", present(seed=seed))

    @property
    def requests(self) -> list[LoggedRequest]:
        """The last 1,000 requests to the services, oldest first."""
        return [read(LoggedRequest, row) for row in self._control.ask("GET", "/requests")["requests"]]

    @property
    def deliveries(self) -> list[Delivery]:
        """The last 5,000 webhook deliveries with their attempts, oldest first."""
        return [delivery(row) for row in self._control.ask("GET", "/deliveries")["deliveries"]]

    @property
    def switches(self) -> dict[str, Any]:
        """The vendor switches, by name."""
        switches: dict[str, Any] = self._control.ask("GET", "/switches")
        return switches

    def set_switches(self, **switches: Any) -> None:
        """Sets vendor switches; those that are not named stay."""
        self._control.ask("PUT", "/switches", switches)

    def set_limit(self, api: Literal["bloomchats", "v2", "v4"], per_minute: int | None) -> None:
        """At most that many requests a minute on an API, counted from now; `None` takes the limit off."""
        self._control.ask("PUT", "/limits", {"api": api, "per_minute": per_minute})

    def set_line(self, number: str, *, status: str | None = None, safety: str | None = None) -> None:
        """Changes what becomes of a line of ours, with the events that tell of it.

        Args:
            number: The line's number.
            status: `active`, `pending_verification`, `suspended`, `banned` or `deprecated`.
            safety: `none`, `queue`, `slow`, `pause_new`, `reply_only` or `review`.
        """
        self._control.ask("PUT", f"/lines/{number.replace('+', '%2B')}", present(status=status, safety=safety))

    @property
    def asynchronous(self) -> AsyncSandbox:
        """The same sandbox for coroutines."""
        from bloomchats.testing._async import AsyncSandbox

        return AsyncSandbox(self)

    def close(self) -> None:
        """Stops the process, if it is this one's own."""
        if self._owns and self._process is not None:
            self._process.stop()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> AsyncSandbox:
        return self.asynchronous

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"
