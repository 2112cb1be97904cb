"""Requests to the sandbox's control API, through the standard library: the clients under test are not asked about themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import urlsplit

_SECONDS = 300
"""Advancing the clock waits for real receivers, each of which may take 15 s an attempt."""


class SandboxError(Exception):
    """The sandbox cannot be found, started or reached, or refuses what it is asked.

    Attributes:
        status: The HTTP status of a refusal; `None` when it was never asked.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status: int | None = status

    def __reduce__(self) -> tuple[type[SandboxError], tuple[str, int | None]]:
        return type(self), (str(self), self.status)


class Control:
    """The control API of one namespace. Each request has a connection of its own, so threads and forks need no care."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url: str = url
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON."""
        place = urlsplit(self.url)
        kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
        connection = kind(place.netloc, timeout=_SECONDS)
        try:
            connection.request(method, f"/_sandbox{path}", None if body is None else json.dumps(body), self._headers)
            response = connection.getresponse()
            status, content = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise SandboxError(f"no sandbox answers at {self.url} ({type(error).__name__})") from error
        finally:
            connection.close()
        try:
            answer = json.loads(content)
        except ValueError:
            raise SandboxError(f"what answers at {self.url} is no sandbox", status) from None
        if status >= 300:
            raise SandboxError(str(answer.get("message", status)), status)
        return answer


Row = TypeVar("Row")


def read(row: type[Row], told: Mapping[str, Any], **given: Any) -> Row:
    """A dataclass from a JSON object; fields it does not know are left to newer versions."""
    names = (field.name for field in fields(row))  # type: ignore[arg-type]
    return row(**{name: given[name] if name in given else told.get(name.rstrip("_")) for name in names})


def present(**fields: object) -> dict[str, object]:
    """Those that are not `None`."""
    return {name: value for name, value in fields.items() if value is not None}
