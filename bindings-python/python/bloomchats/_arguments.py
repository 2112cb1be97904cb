"""How a call's arguments and options are written down for core."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from bloomchats._failure import invalid_argument
from bloomchats._lazy import cast
from bloomchats._models import Model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class NotGiven:
    """The type of `NOT_GIVEN`: an argument that is left out, which differs from `None`, the wire's null."""

    _only: NotGiven | None = None

    def __new__(cls) -> NotGiven:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __reduce__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven()
"""The default of arguments: leave the field out."""

_NAMES = frozenset(
    ("timeout", "attempt_timeout", "max_retries", "idempotency_key", "headers", "query", "extra_body")
)
"""Those of `CallOptions`."""
_SECONDS = ("timeout", "attempt_timeout")


def encode_options(caller: str, options: Mapping[str, object]) -> bytes:
    """JSON with times in ms."""
    told: dict[str, object] = {}
    for name, value in options.items():
        if name not in _NAMES:
            raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}")
        if value is None or value is NOT_GIVEN:
            continue
        if name in _SECONDS:
            told[f"{name}_ms"] = milliseconds(name, value)
        else:
            told[name] = value
    return encode(told)


def milliseconds(name: str, seconds: object) -> int:
    """Whole milliseconds of a duration; a positive one never becomes 0, which would mean something else."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds) or seconds < 0:
        raise invalid_argument(name, "expected seconds, 0 or more, as an int or float")
    return max(math.ceil(seconds), 1) if 0 < seconds < 0.001 else round(seconds * 1000)


def encode(arguments: Mapping[str, object]) -> bytes:
    """JSON of arguments. Text stays in escapes, so that core sees lone surrogates and refuses them by name."""
    try:
        return write(arguments).encode()
    except (TypeError, ValueError, RecursionError):
        for name, value in arguments.items():
            problem = _problem(value)
            if problem is not None:
                raise invalid_argument(name, problem) from None
        raise


def _problem(value: object) -> str | None:
    try:
        write(value)
    except TypeError as error:
        return str(error)
    except ValueError:
        return "holds NaN, an infinity or itself, which JSON cannot express"
    except RecursionError:
        return "is nested too deeply"
    return None


def _plain(value: object) -> object:
    if isinstance(value, Model):
        return value.raw
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, NotGiven):
        raise TypeError("holds NOT_GIVEN inside; leave the key out instead")
    from datetime import date

    if isinstance(value, date):
        raise TypeError("holds a date object; times are whole milliseconds: int(moment.timestamp() * 1000)")
    raise TypeError(f"holds a {type(value).__name__}, which JSON cannot express")


write = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain).encode
"""JSON of a value; raises what `json` raises."""
