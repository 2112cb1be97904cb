"""What every call accepts beside its own arguments, and how arguments are written down for core."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypedDict, cast, final

from bloomchats._failure import invalid_argument
from bloomchats._models import Model
from bloomchats.generated.errors import ConfigError, InvalidArgumentError


@final
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


class RequestOptions(TypedDict, total=False):
    """Settings of one call; what is left out or `None` falls back to the client's."""

    timeout: float | None
    """The whole call, waits and retries included, in seconds."""
    attempt_timeout: float | None
    """One attempt, in seconds."""
    max_retries: int | None
    """Retries after the first attempt, 0 to 10."""
    idempotency_key: str | None
    """A key of your own; without one, each call that carries a key gets a new one."""
    headers: Mapping[str, str] | None
    """Headers beside the client's."""


class CallOptions(RequestOptions, total=False):
    """Settings of one call of a documented operation."""

    query: Mapping[str, str | int | float | bool] | None
    """Query parameters the operation does not list."""
    extra_body: Mapping[str, Any] | None
    """Body fields the operation does not list; they win over arguments of the same name."""


_SECONDS = ("timeout", "attempt_timeout")
_NAMES = frozenset(RequestOptions.__annotations__) | frozenset(CallOptions.__annotations__)


def encode_options(options: Mapping[str, object]) -> bytes:
    """JSON with times in ms."""
    if not options:
        return b""
    told: dict[str, object] = {}
    for name, value in options.items():
        if name not in _NAMES:
            raise TypeError(f"unexpected keyword argument {name!r}")
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


def given(arguments: Mapping[str, object]) -> dict[str, object]:
    """Arguments without those left out."""
    return {name: value for name, value in arguments.items() if value is not NOT_GIVEN}


def encode(arguments: Mapping[str, object]) -> bytes:
    """JSON of arguments. Text stays in escapes, so that core sees lone surrogates and refuses them by name."""
    try:
        return _write(arguments).encode()
    except (TypeError, ValueError, RecursionError):
        for name, value in arguments.items():
            problem = _problem(value)
            if problem is not None:
                raise invalid_argument(name, problem) from None
        raise


def _problem(value: object) -> str | None:
    try:
        _write(value)
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
    if isinstance(value, date):
        raise TypeError("holds a date object; times are whole milliseconds: int(moment.timestamp() * 1000)")
    if isinstance(value, NotGiven):
        raise TypeError("holds NOT_GIVEN inside; leave the key out instead")
    raise TypeError(f"holds a {type(value).__name__}, which JSON cannot express")


_write = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain).encode


class Plan(TypedDict, total=False):
    """Limits in numbers; one that is left out does not exist."""

    per_minute: int
    """Requests in any 60 s."""
    per_day: int
    """Requests in a UTC day."""


class ClientOptions(TypedDict, total=False):
    """Settings of a client; what is left out or `None` keeps its default."""

    base_url: str | None
    """Origin (and path prefix) instead of the service's own; else `BLOOIO_BASE_URL` or `BLOOMCHATS_BASE_URL`."""
    organization_id: str | None
    """Sent as `X-Organization-Id`, for OAuth tokens that span several organizations."""
    timeout: float | None
    """A whole call, waits and retries included, in seconds; 60 by default."""
    attempt_timeout: float | None
    """One attempt, in seconds; 30 by default."""
    connect_timeout: float | None
    """Making a connection, in seconds; 10 by default."""
    max_retries: int | None
    """Retries after the first attempt, 0 to 10; 2 by default."""
    user_agent: str | None
    """Appended to `User-Agent`."""
    ca_certs: str | os.PathLike[str] | bytes | None
    """PEM certificates, or a file of them, that replace every trust root."""
    proxy: str | None
    """Proxy for every request instead of the environment's; the empty string means none."""
    allow_http: bool | None
    """Permits `http://` beyond loopback."""
    v4_send_body: str | None
    """Form of v4 sends: `auto` (default), `content` or `flat`."""
    plan: str | Plan | None
    """Limits to keep to, shared with the process' other clients of the same key: a BloomChats plan (`pro`, `growth`,
    `business`), or numbers. Without one, only the service's own answers slow a client down."""


_CLIENT_SECONDS = ("timeout", "attempt_timeout", "connect_timeout")


def encode_config(product: str, api_key: object, settings: Mapping[str, object]) -> bytes:
    """A client's configuration as JSON; whatever is wrong with it is a `ConfigError`."""
    told: dict[str, object] = {"product": product, "language": "python"}
    if isinstance(api_key, str):
        told["api_key"] = api_key
    elif api_key is not None and not callable(api_key):
        raise ConfigError("api_key: expected a string, or a callable that returns one")
    for name, value in settings.items():
        if name not in ClientOptions.__annotations__:
            raise TypeError(f"unexpected keyword argument {name!r}")
        if value is None:
            continue
        if name == "ca_certs":
            told[name] = _pem(value)
        elif name in _CLIENT_SECONDS:
            try:
                told[f"{name}_ms"] = milliseconds(name, value)
            except InvalidArgumentError as error:
                raise ConfigError(error.message) from None
        else:
            told[name] = value
    try:
        return _write(told).encode()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the configuration {error}") from None


def _pem(value: object) -> str:
    try:
        if isinstance(value, bytes):
            return value.decode("ascii", "replace")
        if isinstance(value, (str, os.PathLike)):
            with open(cast("str | os.PathLike[str]", value), encoding="ascii", errors="replace") as file:
                return file.read()
    except OSError as error:
        raise ConfigError(f"ca_certs: the file cannot be read ({error.strerror})") from None
    raise ConfigError("ca_certs: expected a path, or PEM certificates as bytes")
