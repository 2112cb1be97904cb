"""A place for webhooks to arrive at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bloomchats.testing._control import Control


@dataclass(frozen=True)
class Webhook:
    """A webhook that arrived."""

    at: int
    """Epoch milliseconds of the sandbox's time."""
    status: int
    """What it was answered with."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    """Byte for byte what the signature covers."""

    @property
    def signature(self) -> str | None:
        """The `X-Blooio-Signature` header, for `webhooks.verify`."""
        return self.headers.get("x-blooio-signature")


class Receiver:
    """A URL that takes webhooks, for tests that have no server of their own."""

    def __init__(self, control: Control, told: Mapping[str, str]) -> None:
        self._control = control
        self._path = f"/receivers/{told['id']}"
        self.url: str = told["url"]
        """What to create a webhook with."""

    @property
    def received(self) -> list[Webhook]:
        """What arrived so far, oldest first; the last 1,000."""
        rows = self._control.ask("GET", self._path)["received"]
        return [Webhook(row["at"], row["status"], row["headers"], row["body"].encode()) for row in rows]

    def answer(self, status: int) -> None:
        """Answers with this status from now on; 200 at first. Anything else than 2xx is an outage."""
        self._control.ask("PUT", self._path, {"status": status})
