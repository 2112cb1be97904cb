"""From the failures that core reports to exceptions."""

from __future__ import annotations

import json
from contextlib import suppress

from bloomchats import _native
from bloomchats._errors import BloomChatsError
from bloomchats.generated.errors import KINDS, InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bloomchats._models import Model

_FIELDS = (
    "status", "code", "request_id", "attempts", "maybe_sent", "idempotency_key", "body", "argument", "reason", "resets_at",
)  # fmt: skip
_TYPED = {"result": "FanOutResult", "last_status": "MessageStatus"}


def error_of(failure: _native.Failure, models: Mapping[str, type[Model]] | None = None) -> BloomChatsError:
    """The exception a failure stands for, with its cause."""
    error = _build(json.loads(failure.json), models or {})
    if failure.cause is not None:
        error.__cause__ = failure.cause
    return error


def _build(told: dict[str, Any], models: Mapping[str, type[Model]]) -> BloomChatsError:
    error = KINDS.get(told["kind"], BloomChatsError)(told["message"])
    for name in _FIELDS:
        if told.get(name) is not None:
            setattr(error, name, told[name])
    error.retry_after = told.get("retry_after_s")
    for name, model in _TYPED.items():
        value = told.get(name)
        if value is not None:
            setattr(error, name, models[model](value) if model in models else value)
    if told.get("cause") is not None:
        error.__cause__ = _build(told["cause"], models)
    return error


def invalid_argument(name: str, problem: str) -> InvalidArgumentError:
    """The error core would raise, for what cannot even be written down to ask it."""
    error = InvalidArgumentError(f"{name}: {problem}")
    error.argument = name
    return error


def mark(error: BaseException, call: _native.Making | _native.Pending) -> None:
    """Tells of the call that `error` ended. One that takes no attributes is still the one to raise."""
    with suppress(Exception):
        error.idempotency_key = call.idempotency_key  # type: ignore[attr-defined]  # pyright: ignore
        error.maybe_sent = call.maybe_sent  # type: ignore[attr-defined]  # pyright: ignore
