"""What answers are made of: thin, frozen views of the JSON that came.

A model holds the wire's own dictionary and reads a field when it is asked for, so that decoding costs nothing, fields
this version does not know are kept, and a field of an unexpected type reads `None` and stays in `raw`. An item of a page
is text until it is first asked for anything.
"""

from __future__ import annotations

import json
from collections import deque
from itertools import repeat

from bloomchats._lazy import TypeVar, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar

T = TypeVar("T")
M = TypeVar("M", bound="Model")


class Model:
    """An object of an answer. Equal to another of its type with the same content; picklable; `repr` hides people's data."""

    __slots__ = ("_raw", "_text")
    if TYPE_CHECKING:  # `__eq__` has set it, and `typing.get_type_hints` would find no `ClassVar`.
        __hash__: ClassVar[None]  # type: ignore[assignment]

    _shown: tuple[str, ...] = ()
    """Fields that `repr` may show."""

    def __init__(self, raw: dict[str, Any]) -> None:
        """Reads the wire form; for tests and stored answers."""
        self._raw = raw

    if not TYPE_CHECKING:  # To type checkers it would mean that a model has every attribute.

        def __getattr__(self, name: str) -> Any:
            if name != "_raw":
                return object.__getattribute__(self, name)
            # Only an item that nobody has read yet has no `_raw`. Two threads may both find it so, and both read.
            text = self._text
            if text is not None:
                self._raw = read(text)
                self._text = None
            return self._raw

    @property
    def raw(self) -> Mapping[str, Any]:
        """Everything the service sent, by wire names."""
        return self._raw

    def to_dict(self) -> dict[str, Any]:
        """A copy of `raw`, free to be changed."""
        import copy

        return copy.deepcopy(self._raw)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model) or type(other) is not type(self):
            return NotImplemented
        return self._raw == other._raw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._raw,)

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self._shown)
        fields = ", ".join(f"{name}={value!r}" for name, value in shown if value is not None)
        return f"{type(self).__name__}({fields})"


class Unknown(Model):
    """An object of a kind this version does not know; `raw` holds it."""

    __slots__ = ()


_scan: Callable[[str, int], tuple[Any, int]] = getattr(json.JSONDecoder(), "scan_once")  # Type checkers do not know it.
_set_raw: Callable[[Model, dict[str, Any]], None] = Model.__dict__["_raw"].__set__
_set_text: Callable[[Model, str], None] = Model.__dict__["_text"].__set__


def read(text: str) -> Any:
    """JSON that core has read before, without blanks around it."""
    return _scan(text, 0)[0]


def unread(cls: type[M], texts: list[str]) -> list[M]:
    """Models of texts. All of it runs in the interpreter's own loops: a page has many."""
    made = list(map(cls.__new__, repeat(cls, len(texts))))
    deque(map(_set_text, made, texts), 0)
    return made


def read_all(items: list[T]) -> list[T]:
    """Reads items of a page just fetched in one go, which costs half of reading them one by one."""
    texts: list[Any] = [getattr(item, "_text", None) for item in items]
    if texts and None not in texts:
        deque(map(_set_raw, cast("list[Model]", items), read(f"[{','.join(texts)}]")), 0)
    return items


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def mapping(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def has(value: object, *names: str) -> bool:
    """Whether it is an object with these fields."""
    return isinstance(value, dict) and all(name in value for name in names)


def anything(value: object) -> list[Any] | None:
    """A list of whatever."""
    return cast("list[object]", value) if isinstance(value, list) else None


def model(value: object, cls: type[M]) -> M | None:
    return cls(cast("dict[str, Any]", value)) if isinstance(value, dict) else None


def models(value: object, cls: type[M]) -> list[M] | None:
    return items(value, lambda item: model(item, cls))


def items(value: object, decode: Callable[[object], T | None]) -> list[T] | None:
    """Decodes a list; one element of an unexpected type makes the whole list read `None`."""
    if not isinstance(value, list):
        return None
    decoded: list[T] = []
    for item in cast("list[object]", value):
        element = decode(item)
        if element is None:
            return None
        decoded.append(element)
    return decoded
