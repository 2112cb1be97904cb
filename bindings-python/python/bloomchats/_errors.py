"""The base of every error this package raises. The classes below it are generated from core's taxonomy."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class BloomChatsError(Exception):
    """Anything that went wrong in this package.

    Neither `str()` nor `repr()` shows a key, a phone number, an address or message text; `body` holds the service's
    answer as it came, for code to look at.
    """

    kind: ClassVar[str] = "internal"
    """What went wrong, by the same name in every language: `rate_limit`, `timeout`, …"""

    message: str
    """One sentence for a person."""
    status: int | None = None
    """HTTP status, when an answer arrived."""
    code: str | None = None
    """The service's machine-readable code; an open set."""
    request_id: str | None = None
    """The service's id of the request, for its support."""
    retry_after: float | None = None
    """How long the service asked to wait, in seconds."""
    attempts: int = 0
    """Attempts made; 0 when nothing was sent."""
    maybe_sent: bool = False
    """Whether the service may have done what was asked."""
    idempotency_key: str | None = None
    """The key that last went on the wire: pass it again to resume without sending twice."""
    body: Any = None
    """The service's answer: decoded JSON, or its text."""
    result: Any = None
    """The typed fan-out of a send that reached no recipient (422)."""
    argument: str | None = None
    """The argument that was refused, as `parts[0].url`."""
    reason: str | None = None
    """Why a webhook does not verify: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret`, `parsed_body`."""
    last_status: Any = None
    """The last status seen by a `wait` that ran out of time."""
    resets_at: int | None = None
    """When a quota resets, in epoch milliseconds, if the service said so."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        facts = [
            f"{label} {value}"
            for label, value in (("status", self.status), ("code", self.code), ("request", self.request_id))
            if value is not None
        ]
        if self.attempts > 1:
            facts.append(f"{self.attempts} attempts")
        if self.maybe_sent:
            facts.append("maybe sent")
        return f"{self.message} ({', '.join(facts)})" if facts else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # What led to an error travels with it to another process, unlike a traceback.
        cause = {"__cause__": self.__cause__} if isinstance(self.__cause__, BloomChatsError) else {}
        return type(self), (self.message,), {**self.__dict__, **cause}
