"""Scripted clients: no socket, and time passes only in the script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast, overload

from bloomchats._async_client import AsyncApiKey, AsyncBloomChats, AsyncBlooio
from bloomchats._bloomchats import BloomChats
from bloomchats._call import Connection
from bloomchats._client import ApiKey, Blooio
from bloomchats._options import ClientOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

Transcript = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class WireRequest(TypedDict):
    """A request as it would have gone out."""

    method: str
    url: str
    headers: dict[str, str]
    """By lower-case name."""
    body: str | None
    """Text; `None` when the bytes are no UTF-8."""
    body_base16: str
    """The bytes in hex when they are no UTF-8; else empty."""


class _Scripted:
    _connection: Connection

    @property
    def requests(self) -> list[WireRequest]:
        """Every request so far, each attempt counted."""
        requests: list[dict[str, Any]] = self._told()["requests"]
        return [cast("WireRequest", {"body": None, "body_base16": "", **request}) for request in requests]

    @property
    def waits_ms(self) -> list[int]:
        """Every wait of the client so far, in ms of the script's time."""
        waits: list[int] = self._told()["waits_ms"]
        return waits

    @property
    def left(self) -> int:
        """Exchanges of the transcript that no attempt has used yet."""
        left: int = self._told()["left"]
        return left

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._connection.native.script() or "{}")
        return told


class ScriptedBlooio(_Scripted, Blooio):
    """`Blooio` on a script."""


class ScriptedAsyncBlooio(_Scripted, AsyncBlooio):
    """`AsyncBlooio` on a script."""


class ScriptedBloomChats(_Scripted, BloomChats):
    """`BloomChats` on a script."""


class ScriptedAsyncBloomChats(_Scripted, AsyncBloomChats):
    """`AsyncBloomChats` on a script."""


@overload
def scripted(
    client: type[Blooio],
    transcript: Transcript,
    *,
    api_key: ApiKey | None = None,
    **settings: Unpack[ClientOptions],
) -> ScriptedBlooio: ...
@overload
def scripted(
    client: type[AsyncBlooio],
    transcript: Transcript,
    *,
    api_key: AsyncApiKey | None = None,
    **settings: Unpack[ClientOptions],
) -> ScriptedAsyncBlooio: ...
@overload
def scripted(
    client: type[BloomChats],
    transcript: Transcript,
    *,
    api_key: ApiKey | None = None,
    **settings: Unpack[ClientOptions],
) -> ScriptedBloomChats: ...
@overload
def scripted(
    client: type[AsyncBloomChats],
    transcript: Transcript,
    *,
    api_key: AsyncApiKey | None = None,
    **settings: Unpack[ClientOptions],
) -> ScriptedAsyncBloomChats: ...
def scripted(client: Any, transcript: Transcript, **settings: Any) -> Any:
    """A client whose answers come from a transcript.

    Args:
        client: Which client to stand in for; a class of your own that extends one keeps what it adds.
        transcript: Answers in order, one an attempt: `{"status": 202, "json": {...}}` with optional `headers`, `body`
            in place of `json`, and `delay_ms`; or `{"fault": "connect" | "reset" | "truncated" | "timeout"}`. A mapping
            `{"exchanges": [...], "jitter": 0.5, "now_ms": ...}` sets chance and clock as well.
        settings: The client's; without `api_key` a made-up one is used.
    """
    kind = next((_KINDS[base] for base in getattr(client, "__mro__", ()) if base in _KINDS), None)
    if kind is None:
        given = client.__name__ if isinstance(client, type) else f"an instance of {type(client).__name__}"
        raise TypeError(f"client: expected a class like Blooio, got {given}")
    whole = transcript if isinstance(transcript, Mapping) else {"exchanges": list(transcript)}
    bases = (kind,) if issubclass(kind, client) else (kind, client)
    bound = type(kind.__name__, bases, {"_transcript": json.dumps(whole).encode(), "__module__": kind.__module__})
    return bound(**settings)


_KINDS: dict[type[Any], type[Any]] = {
    Blooio: ScriptedBlooio,
    AsyncBlooio: ScriptedAsyncBlooio,
    BloomChats: ScriptedBloomChats,
    AsyncBloomChats: ScriptedAsyncBloomChats,
}
