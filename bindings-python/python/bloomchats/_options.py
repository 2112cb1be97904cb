"""What clients and calls accept beside the arguments of an operation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Literal, TypeAlias, TypedDict

FileInput: TypeAlias = bytes | bytearray | os.PathLike[str] | BinaryIO | tuple[str, bytes | bytearray, str]
"""Bytes, a path, a file opened for binary reading, or `(file name, bytes, content type)`; at most 16 MiB."""


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
    v4_send_body: Literal["auto", "content", "flat"] | None
    """Form of v4 sends: `auto` (default), `content` or `flat`."""
    plan: Literal["pro", "growth", "business"] | Plan | None
    """Limits to keep to, shared with the process' other clients of the same key: a BloomChats plan (`pro`, `growth`,
    `business`), or numbers. Without one, only the service's own answers slow a client down."""
