"""What calls tell the application: records of `logging`, and spans where it has OpenTelemetry.

The logger is `bloomchats`. An attempt that another follows is INFO; every other attempt and every call is DEBUG, failed
ones too, because their error is raised. `record.bloomchats` holds the event: `scope` (`attempt` or `call`), `operation`,
`started_ms` (epoch), `duration_ms`, `retry_in_ms` on an attempt that another follows, and `attributes` by OpenTelemetry's
names. Nothing in it is a key, a number, an address or a text.
"""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar

from bloomchats import _spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Watch: TypeAlias = Callable[[str], None]
    """Takes one event, as JSON."""

_DEBUG, _INFO = 10, 20

_logger: logging.Logger | None = None

_telling: ContextVar[bool] = ContextVar("bloomchats_telling", default=False)
"""Whether a handler or an exporter is at work: calls of its own are not told, as there would be no end to them."""


def watch() -> Watch | None:
    """The eyes on the call about to be made here; `None` when nobody looks."""
    spans = _spans.watch() if "opentelemetry.trace" in sys.modules else None
    if spans is None and not _is_logged(_INFO) or _telling.get():
        return None

    def see(text: str) -> None:
        token = _telling.set(True)
        try:
            event: dict[str, Any] = json.loads(text)
            for watcher in (_log, spans):
                if watcher is not None:
                    _unharmed(watcher, event)
        finally:
            _telling.reset(token)

    return see


def tell(watch: Watch | None, events: list[str]) -> None:
    """Has `watch`, if there is one, see events that a call has told."""
    if watch is not None:
        for event in events:
            watch(event)


def _is_logged(level: int) -> bool:
    """Whether the application wants to know. `logging` takes long to load: who wants to know has loaded it."""
    global _logger
    if _logger is None and (get := getattr(sys.modules.get("logging"), "getLogger", None)) is not None:
        _logger = get("bloomchats")
    return _logger is not None and _logger.isEnabledFor(level)


def _unharmed(watcher: Callable[[dict[str, Any]], None], event: dict[str, Any]) -> None:
    """A watcher that fails must not harm the call. Its traceback goes where `logging` shows those of handlers."""
    try:
        watcher(event)
    except Exception:
        import logging
        import traceback

        if logging.raiseExceptions and sys.stderr is not None:  # pyright: ignore[reportUnnecessaryComparison]
            try:
                traceback.print_exc()
            except Exception:
                return


def _log(event: dict[str, Any]) -> None:
    level = _INFO if "retry_in_ms" in event else _DEBUG
    if _is_logged(level) and _logger is not None:
        _logger.log(level, "%s %s", event["operation"], _Told(event), extra={"bloomchats": event})


class _Told:
    """An event in words, written only for those who read it."""

    __slots__ = ("_event",)

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event

    def __str__(self) -> str:
        event, facts = self._event, self._event["attributes"]
        words = f"{facts.get('error.type') or facts.get('http.response.status_code')} after {_seconds(event['duration_ms'])}"
        if event["scope"] == "call":
            made = facts["bloomchats.attempts"]
            words = f"call: {words}, {made} attempt{'' if made == 1 else 's'}"
        else:
            words = f"attempt {facts.get('http.request.resend_count', 0) + 1}: {words}"
        if "retry_in_ms" in event:
            words += f", again in {_seconds(event['retry_in_ms'])}"
        if "error.type" in facts and facts["bloomchats.maybe_sent"]:
            words += ", maybe sent"
        if "bloomchats.request_id" in facts:
            words += f" (request {facts['bloomchats.request_id']})"
        return words


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".") + " s"
