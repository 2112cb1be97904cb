"""Modules that are loaded when they are first needed, and values that are made then.

What a program imports, it waits for: this package loads what a program uses, and nothing that only types are made of.
"""

from __future__ import annotations

import os
from _thread import RLock  # `threading` would bring `collections` and `functools`.

TYPE_CHECKING = False  # Type checkers take it for true; importing it from `typing` costs as much as half of this package.
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import cached_property as made_once
    from typing import Any, Generic, ParamSpec, TypeVar, cast
else:

    class made_once:
        """A property whose value is made when it is first read; `functools` holds a lock meanwhile up to Python 3.11."""

        def __init__(self, make: Callable[[Any], Any]) -> None:
            self._make = make
            self.__doc__ = make.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            if instance is None:
                return self
            value = instance.__dict__[self._name] = self._make(instance)
            return value

    class Generic:
        """Lets its heirs be written with parameters, as `typing.Generic` does."""

        __slots__ = ()

        def __class_getitem__(cls, parameters: Any) -> Any:
            return cls if cls is Generic else type(list[int])(cls, parameters)

    def TypeVar(name: str, **_: Any) -> str:
        return name

    ParamSpec = TypeVar

    def cast(_: object, value: Any) -> Any:
        return value


__all__ = ["Generic", "ParamSpec", "TypeVar", "cast", "loading", "made_once"]

loading = RLock()
"""Held while modules are loaded later than their package. A fork waits for it: its child would wait for ever for a module
that a thread of the parent had begun to load."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release)
