"""The sandbox's clock."""

from __future__ import annotations

from bloomchats.testing._control import Control


class Clock:
    """A namespace's time: of messages, webhooks, timers and limits. Clients keep their own."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        now: int = self._control.ask("GET", "/clock")["now"]
        return now

    @property
    def frozen(self) -> bool:
        """Whether time stands still between calls."""
        frozen: bool = self._control.ask("GET", "/clock")["frozen"]
        return frozen

    def freeze(self) -> None:
        """Stops it; `set` and `advance` move it on."""
        self._control.ask("PUT", "/clock", {"frozen": True})

    def run(self) -> None:
        """Lets it run with real time again."""
        self._control.ask("PUT", "/clock", {"frozen": False})

    def set(self, now: int) -> None:
        """Jumps to epoch milliseconds; what is due then happens at once."""
        self._control.ask("PUT", "/clock", {"now": now})

    def advance(self, seconds: float) -> None:
        """Lives through that much time: timers fire in order, and each webhook attempt has its answer before it goes on."""
        self._control.ask("POST", "/clock/advance", {"ms": round(seconds * 1000)})
