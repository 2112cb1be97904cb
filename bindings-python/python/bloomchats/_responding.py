"""The types of `with_response`: each call as before, with a `Response` around its value.

Nothing happens here at run time. The wrapping is done by the caller beneath a resource; these casts tell type checkers.
"""

from __future__ import annotations

from bloomchats._lazy import ParamSpec, TypeVar, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from bloomchats._page import AsyncPage, AsyncPages, Page, Pages, Response

P = ParamSpec("P")
T = TypeVar("T")


def wrapped(method: Callable[P, T]) -> Callable[P, Response[T]]:
    return cast("Callable[P, Response[T]]", method)


def wrapped_list(method: Callable[P, Pages[T]]) -> Callable[P, Response[Page[T]]]:
    return cast("Callable[P, Response[Page[T]]]", method)


def async_wrapped(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, Response[T]]]:
    return cast("Callable[P, Coroutine[Any, Any, Response[T]]]", method)


def async_wrapped_list(method: Callable[P, AsyncPages[T]]) -> Callable[P, Awaitable[Response[AsyncPage[T]]]]:
    return cast("Callable[P, Awaitable[Response[AsyncPage[T]]]]", method)
