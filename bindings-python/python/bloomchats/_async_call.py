"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from typing import Any

from bloomchats import _loop, _native
from bloomchats._call import Arguments, CallerBase, Files, Options
from bloomchats._models import Model
from bloomchats._page import AsyncPage, AsyncPages


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
        return self._value(await self._run(self._prepare(operation, arguments, options, files)), item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        async def first() -> Any:
            answer = await self._run(self._prepare(operation, arguments, options, None))
            return self._told(answer, self._page(answer))

        return first() if self._wraps else AsyncPages(first)

    async def _run(self, call: _native.Call) -> _native.Answer:
        return self._checked(await _loop.run(call, self._connection.api_key))

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        items, body = self._items(answer)
        following = answer.next

        async def fetch(call: _native.Call) -> AsyncPage[Any]:
            return self._page(await self._run(call))

        return AsyncPage(items, body, None if following is None else lambda: fetch(following))
