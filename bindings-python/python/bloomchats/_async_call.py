"""How an asynchronous resource's method reaches core."""

from __future__ import annotations

from bloomchats import _files, _loop
from bloomchats._arguments import encode, encode_options
from bloomchats._call import CallerBase
from bloomchats._lazy import cast
from bloomchats._page import AsyncPage, AsyncPages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
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
        return self._value(await self._run(operation, arguments, options, files), item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        async def first() -> Any:
            answer = self._checked(await self._run(operation, arguments, options, None))
            page = self._page(answer)
            return self._told(answer, page) if self._wraps else page

        return first() if self._wraps else AsyncPages(first)

    def _run(
        self, operation: str, arguments: Arguments, options: Options, files: Files | None
    ) -> Awaitable[_native.Answer | _native.Failure]:
        native, api_key = self._connection.native, self._connection.api_key
        settings = encode_options(options) if options else b""
        uploads = _files.read(files) if files else None

        def start(queue: _native.Queue, call: int, watched: bool) -> _native.Pending:
            place = queue, call, watched, operation
            started = native.start(*place, arguments, settings, uploads)
            return started or cast("_native.Pending", native.start(*place, encode(arguments), settings, uploads))

        return _loop.run(start, api_key)

    def _page(self, answer: _native.Answer) -> AsyncPage[Any]:
        following = answer.next

        async def fetch(following: _native.NextPage) -> AsyncPage[Any]:
            return self._page(self._checked(await _loop.run(following.start, self._connection.api_key)))

        return AsyncPage(self._items(answer), answer, None if following is None else lambda: fetch(following))
