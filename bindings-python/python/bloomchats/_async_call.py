"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from bloomchats import _loop, _native
from bloomchats._call import CallerBase
from bloomchats._lazy import TypeVar
from bloomchats._page import AsyncPage, AsyncPages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from bloomchats._call import Arguments, Files, Given, Options
    from bloomchats._models import Model

R = TypeVar("R")


class AsyncCaller(CallerBase):
    """Makes calls on the running event loop."""

    __slots__ = ()

    def call(
        self,
        operation: str,
        arguments: Arguments,
        options: Options,
        files: Files | None = None,
        item: type[Model] | None = None,
    ) -> Awaitable[Any]:
        start = self._connection.native.start
        return self._run(start, self._given(operation, arguments, options, files), self._value, item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        def told(answer: _native.Answer) -> Any:
            return self._told(answer, self._page(answer))

        async def first() -> Any:
            start = self._connection.native.start
            given = self._given(operation, arguments, options, None)
            return await self._run(start, given, told if self._wraps else self._page)

        return first() if self._wraps else AsyncPages(first)

    def _run(
        self, start: Callable[..., _native.Pending | None], given: Given, read: Callable[..., R], *rest: object
    ) -> Awaitable[R]:
        return _loop.run(start, given, self._connection.api_key, self._models, read, *rest)

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        following = answer.next

        async def fetch(following: _native.NextPage) -> AsyncPage[Any]:
            self._connection.check()
            return await self._run(following.start, (), self._page)

        return AsyncPage(self._items(answer), answer, None if following is None else lambda: fetch(following))
