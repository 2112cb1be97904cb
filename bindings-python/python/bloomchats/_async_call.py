"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from bloomchats import _loop
from bloomchats._call import CallerBase
from bloomchats._page import AsyncPage, AsyncPages

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        call = self._prepare(operation, arguments, options, files)
        return self._value(self._checked(await _loop.run(call, self._connection.api_key)), item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        async def first() -> Any:
            answer = await self._run(self._prepare(operation, arguments, options, None))
            page = self._page(answer)
            return self._told(answer, page) if self._wraps else page

        return first() if self._wraps else AsyncPages(first)

    async def _run(self, call: _native.Call) -> _native.Answer:
        return self._checked(await _loop.run(call, self._connection.api_key))

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        items, body = self._items(answer)
        following = answer.next

        async def fetch(call: _native.Call) -> AsyncPage[Any]:
            return self._page(await self._run(call))

        return AsyncPage(items, body, None if following is None else lambda: fetch(following))
