"""What a namespace was asked, and what webhooks it sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bloomchats.testing._control import read


@dataclass(frozen=True)
class LoggedRequest:
    """A request to one of the services."""

    at: int
    """Epoch milliseconds of the sandbox's time."""
    method: str
    target: str
    """Path and query as they were sent."""
    idempotency_key: str | None
    body: Any
    """The JSON body, up to 4 KB."""
    status: int | None
    """What it was answered with; `None` when a fault left no answer."""
    fault: bool
    """Whether a scripted fault struck it."""


@dataclass(frozen=True)
class DeliveryAttempt:
    """One attempt at a delivery."""

    at: int
    """Epoch milliseconds of the sandbox's time, as `answered_at`."""
    answered_at: int | None
    status: int | None
    """The receiver's answer; `None` when none came."""
    error: str | None
    """Why none came."""


@dataclass(frozen=True)
class Delivery:
    """A webhook on its way to one receiver."""

    id: str
    """As v4 names it: `wdel_…`."""
    webhook_id: str
    url: str
    event_id: str
    event: str
    state: Literal["pending", "delivered", "failed", "not_sent"]
    """`not_sent` when its URL is none the sandbox calls."""
    replay_of: str | None
    created_at: int
    """Epoch milliseconds of the sandbox's time, as `next_attempt_at`."""
    next_attempt_at: int | None
    attempts: tuple[DeliveryAttempt, ...]
    body: Any
    """The JSON that is delivered."""


def delivery(told: Mapping[str, Any]) -> Delivery:
    """A row of the log."""
    return read(Delivery, told, attempts=tuple(read(DeliveryAttempt, attempt) for attempt in told["attempts"]))
