"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from bloomchats import _loop, _native
from bloomchats._call import CallerBase
from bloomchats._failure import error_of
from bloomchats._lazy import TypeVar
from bloomchats._page import AsyncPage, AsyncPages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bloomchats._call import Arguments, Files, Options
    from bloomchats._models import Model

R = TypeVar("R")


class AsyncCaller(CallerBase):
    """Makes calls on the running event loop."""

    __slots__ = ()

    async def call(
        self,
        operation: str,
        arguments: Arguments,
        options: Options,
        files: Files | None = None,
        item: type[Model] | None = None,
    ) -> Any:
        begin = self._begin(self._connection.native.start, operation, arguments, options, files)
        return await self._run(begin, self._value, item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        def told(answer: _native.Answer) -> Any:
            return self._told(answer, self._page(answer))

        async def first() -> Any:
            begin = self._begin(self._connection.native.start, operation, arguments, options, None)
            return await self._run(begin, told if self._wraps else self._page)

        return first() if self._wraps else AsyncPages(first)

    async def _run(
        self, begin: Callable[[_native.Queue, int, bool], _native.Pending], read: Callable[..., R], *rest: object
    ) -> R:
        outcome = await _loop.run(begin, self._connection.api_key, read, *rest)
        if isinstance(outcome, _native.Failure):
            raise error_of(outcome, self._models)
        return outcome

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        following = answer.next

        async def fetch(following: _native.NextPage) -> AsyncPage[Any]:
            self._connection.check()
            return await self._run(following.start, self._page)

        return AsyncPage(self._items(answer), answer, None if following is None else lambda: fetch(following))
