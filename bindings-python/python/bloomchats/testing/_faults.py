"""Scripted faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, cast

from bloomchats.testing._control import Control

FaultAction: TypeAlias = Literal[
    "drop",
    "drop_answer",
    "reset",
    "reset_answer",
    "half_answer",
    "slow_answer",
    "delay",
    "delay_answer",
    "status",
    "status_answer",
    "throttle",
    "pass",
]
"""What happens to a request. Those that end in `answer` strike after it was handled: it had its effect, nobody hears of it."""


class _Line(TypedDict):
    action: FaultAction


class Fault(_Line, total=False):
    """One line of the script."""

    method: str
    """Only requests of this method."""
    path: str
    """A template (`/v2/api/chats/{chatId}/messages`) or a glob (`/v4/*`); every path without it."""
    after: int
    """How many such requests pass first; 0 by default."""
    times: int | None
    """How many then suffer; 1 by default, `None` for all."""
    ms: int
    """Of `delay` and `slow_answer`: real milliseconds."""
    bytes: int
    """Of `slow_answer`: the size of a piece."""
    status: int
    """Of `status`: 503 by default."""
    code: str
    """Of `status`: the error's code."""
    retry_after: int | str
    """Of `status` and `throttle`: seconds, or an HTTP date."""
    headers: Mapping[str, str]
    """Of `status`."""
    body: Any
    """Of `status`: in place of the API's own error; text goes out as it is."""
    hits: int
    """How many requests it struck so far; only read."""


class Faults:
    """The fault script of a namespace: the first line that still wants a request decides what becomes of it."""

    def __init__(self, control: Control) -> None:
        self._control = control

    @property
    def script(self) -> list[Fault]:
        """Its lines, each with its `hits`."""
        return cast("list[Fault]", self._control.ask("GET", "/faults")["faults"])

    def add(self, fault: FaultAction | Fault) -> None:
        """One more line at the end; an action alone strikes the next request."""
        self._control.ask("POST", "/faults", {"action": fault} if isinstance(fault, str) else fault)

    def replace(self, script: Sequence[Fault]) -> None:
        """This script in place of the old one."""
        self._control.ask("PUT", "/faults", list(script))

    def clear(self) -> None:
        """No faults."""
        self._control.ask("DELETE", "/faults")
