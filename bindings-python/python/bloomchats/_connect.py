"""How a client is opened: its settings are written down for core."""

from __future__ import annotations

import os

from bloomchats import _native
from bloomchats._arguments import milliseconds, write
from bloomchats._call import Connection
from bloomchats._failure import error_of
from bloomchats._lazy import cast
from bloomchats.generated.errors import ConfigError, InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = frozenset(
    (
        "base_url", "organization_id", "timeout", "attempt_timeout", "connect_timeout", "max_retries", "user_agent",
        "ca_certs", "proxy", "allow_http", "v4_send_body", "plan",
    )
)  # fmt: skip
"""Those of `ClientOptions`."""
_SECONDS = ("timeout", "attempt_timeout", "connect_timeout")


def check_names(caller: str, settings: Mapping[str, object]) -> None:
    """Refuses a setting that is none, in Python's words."""
    for name in settings:
        if name not in _NAMES:
            raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}")


def connect(product: str, api_key: object, settings: Mapping[str, object], transcript: bytes | None) -> Connection:
    """Opens a client, on a transcript if there is one."""
    supplier = api_key if callable(api_key) else None
    native = _native.Client.open(_encode(product, api_key, settings), supplier is not None, transcript)
    if isinstance(native, _native.Failure):
        raise error_of(native)
    return Connection(native, supplier)


def _encode(product: str, api_key: object, settings: Mapping[str, object]) -> bytes:
    """A client's configuration as JSON; whatever is wrong with it is a `ConfigError`."""
    told: dict[str, object] = {"product": product, "language": "python"}
    if isinstance(api_key, str):
        told["api_key"] = api_key
    elif api_key is not None and not callable(api_key):
        raise ConfigError("api_key: expected a string, or a callable that returns one")
    for name, value in settings.items():
        if value is None:
            continue
        if name == "ca_certs":
            told[name] = _pem(value)
        elif name in _SECONDS:
            try:
                told[f"{name}_ms"] = milliseconds(name, value)
            except InvalidArgumentError as error:
                raise ConfigError(error.message) from None
        else:
            told[name] = value
    try:
        return write(told).encode()
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
