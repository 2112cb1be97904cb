"""Webhooks from Blooio: verify a delivery's raw body, then read its event.

    event = webhooks.verify(request.body, request.headers, secret)
    match event:
        case v4.MessageReceived():
            print(event.data.chat_id)

BloomChats' page claims webhooks and describes none, so there is nothing here for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol, cast

from bloomchats import _native
from bloomchats._events import WebhookEvent
from bloomchats._failure import error_of, invalid_argument
from bloomchats._time import SECONDS_END
from bloomchats.generated.blooio_v2.events import EVENTS as _V2
from bloomchats.generated.blooio_v4.events import EVENTS as _V4
from bloomchats.generated.errors import WebhookVerificationError

__all__ = ["Headers", "WebhookEvent", "parse", "sign", "verify"]

_EVENTS = {"v2": _V2, "v4": _V4}
_SIGNATURE = "x-blooio-signature"
_FOREVER = 2**32


class Headers(Protocol):
    """A request's headers, as every framework has them: a mapping, or what has `items()` like one."""

    def items(self) -> Iterable[tuple[str, str]]: ...


def verify(
    body: bytes,
    signature: str | Headers | None,
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    tolerance: float = 300,
) -> WebhookEvent:
    """Verifies a delivery and reads its event.

    Args:
        body: The request's body as it came, before any JSON middleware.
        signature: The request's headers, or the text of `X-Blooio-Signature`; `None` when the request has none.
        secret: The webhook's signing secret, or several around a rotation.
        now: Unix seconds instead of the clock's; values from 1e11 are read as milliseconds, which a sandbox's clock has.
        tolerance: How far the signature's time may lie from now, both ways, in seconds.

    Raises:
        WebhookVerificationError: With a `reason`: `missing_header`, `bad_form`, `stale`, `future`, `wrong_secret` or
            `parsed_body`.
        ConfigError: Without a secret.
        DecodeError: When a verified body is no event.
        InvalidArgumentError: When another argument is nothing of the kind.
    """
    moment = _moment("now", now)
    return _event(_native.verify_webhook(_raw(body), _header(signature), _secrets(secret), moment, _seconds("tolerance", tolerance)))


def parse(body: bytes) -> WebhookEvent:
    """Reads a body's event without verifying who sent it.

    Raises:
        DecodeError: When the body is no event.
    """
    return _event(_native.parse_event(_raw(body)))


def sign(body: bytes, secret: str, *, at: float | None = None) -> str:
    """The `X-Blooio-Signature` header for a body, signed at that time, given as to `verify`; now by default. For tests."""
    return _native.sign_webhook(_raw(body), secret, _moment("at", at))


def _moment(name: str, given: float | None) -> int:
    """Whole Unix seconds, told from milliseconds as `to_datetime` tells them."""
    if given is None:
        return int(time.time())
    seconds = _seconds(name, given)
    return seconds // 1000 if seconds >= SECONDS_END else seconds


def _seconds(name: str, given: object) -> int:
    if isinstance(given, (int, float)) and not isinstance(given, bool) and given >= 0:
        return int(min(given, _FOREVER * 1000))
    raise invalid_argument(name, "expected seconds, 0 or more")


def _header(given: object) -> str | None:
    if given is None:
        return None
    if isinstance(given, str):
        return _text(given)
    if hasattr(given, "items"):
        values = [value for name, value in cast("Headers", given).items() if name.lower() == _SIGNATURE]
        return _text(",".join(values)) if values else None
    raise invalid_argument("signature", f"expected headers, or the text of one, got {type(given).__name__}")


def _secrets(given: object) -> list[str]:
    several = [given] if isinstance(given, str) else cast("Iterable[object]", given or ())
    # What is no text is no secret, which core says better than a conversion would.
    return [_text(one) if isinstance(one, str) else "" for one in several]


def _text(given: str) -> str:
    """Without lone surrogates, which are nothing that a header or a secret could hold."""
    return given.encode("utf-8", "replace").decode()


def _raw(body: object) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(cast("bytes", body))
    if isinstance(body, str):
        # Frameworks that hand out text decoded it from UTF-8, which this undoes; text with other surrogates came out of JSON.
        with suppress(UnicodeEncodeError):
            return body.encode("utf-8", "surrogateescape")
    if isinstance(body, (str, dict, list)):
        error = WebhookVerificationError(
            "body: was parsed already; pass the raw bytes of the request, which are what the signature covers"
        )
        error.reason = "parsed_body"
        raise error
    raise invalid_argument("body", f"expected bytes, got {type(body).__name__}")


def _event(told: bytes | _native.Failure) -> WebhookEvent:
    if isinstance(told, _native.Failure):
        raise error_of(told)
    event = json.loads(told)
    known = _EVENTS[event["version"]]
    family = event["type"].rpartition(".")[0] + ".*"
    found = known.get(event["type"]) or known.get(family) or WebhookEvent
    return found(event["version"], event["type"], event["id"], event["data"], event["raw"])
