"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from bloomchats import _loop
from bloomchats._call import CallerBase
from bloomchats._page import AsyncPage, AsyncPages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bloomchats import _native
    from bloomchats._call import Arguments, Files, Options
    from bloomchats._models import Model


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
        return self._value(await self._run(begin), item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        async def first() -> Any:
            answer = await self._run(self._begin(self._connection.native.start, operation, arguments, options, None))
            page = self._page(answer)
            return self._told(answer, page) if self._wraps else page

        return first() if self._wraps else AsyncPages(first)

    async def _run(self, begin: Callable[[_native.Queue, int, bool], _native.Pending]) -> _native.Answer:
        return self._checked(await _loop.run(begin, self._connection.api_key))

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        following = answer.next

        async def fetch(following: _native.NextPage) -> AsyncPage[Any]:
            return self._page(await self._run(following.start))

        return AsyncPage(self._items(answer), answer, None if following is None else lambda: fetch(following))
