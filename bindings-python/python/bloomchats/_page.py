"""Answers with what surrounds them, and lists that fetch themselves page by page."""

from __future__ import annotations

from bloomchats import _native
from bloomchats._lazy import Generic, TypeVar
from bloomchats._models import Model, read, read_all
from bloomchats.generated.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from typing import Any, NoReturn

T = TypeVar("T")


class Response(Generic[T]):
    """The value of a call, and what its last attempt said; picklable."""

    __slots__ = ("attempts", "headers", "idempotency_key", "request_id", "status", "value")

    def __init__(
        self,
        value: T,
        status: int,
        headers: Mapping[str, str],
        request_id: str | None,
        attempts: int,
        idempotency_key: str | None,
    ) -> None:
        self.value: T = value
        """What the call without `with_response` returns; of a list, its first page."""
        self.status: int = status
        """HTTP status."""
        self.headers: Mapping[str, str] = headers
        """Headers by lower-case name."""
        self.request_id: str | None = request_id
        """The service's id of the request, for its support."""
        self.attempts: int = attempts
        """Attempts made."""
        self.idempotency_key: str | None = idempotency_key
        """The key that last went on the wire."""

    def __repr__(self) -> str:
        # Plain JSON would show what models hide.
        value: object = self.value
        shown = repr(value) if isinstance(value, (Model, Page, AsyncPage)) else type(value).__name__  # pyright: ignore
        return f"Response({shown}, status={self.status}, attempts={self.attempts})"


def _left_its_client() -> NoReturn:
    """What a copy has for `next_page`, if there is one: connections, keys and limits do not travel."""
    raise ConfigError("a copied or pickled page belongs to no client, which alone can fetch the next one; list anew")


class _PageBase(Generic[T]):
    __slots__ = ("_next", "_raw", "items")

    def __init__(self, items: list[T], raw: Any, next_page: Callable[[], Any] | None) -> None:
        self.items: list[T] = items
        """The page's items."""
        self._raw = raw
        self._next = next_page

    @property
    def raw(self) -> Any:
        """The whole body, with what the service says beside the items."""
        raw = self._raw
        if isinstance(raw, _native.Answer):
            raw = self._raw = read(raw.text)
        return raw

    @property
    def has_next(self) -> bool:
        """Whether `next_page` gives another page."""
        return self._next is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.items, self.raw, _left_its_client if self.has_next else None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.items)} items, has_next={self.has_next})"


class Page(_PageBase[T]):
    """One page of a list; picklable, but for what `next_page` needs."""

    __slots__ = ()

    def next_page(self) -> Page[T] | None:
        """Fetches the page after this one, `None` after the last; a failed fetch may be tried again.

        Raises:
            ConfigError: When this is a copy, or was unpickled; or when the client is closed.
        """
        page: Page[T] | None = self._next() if self._next is not None else None
        return page


class AsyncPage(_PageBase[T]):
    """One page of a list; picklable, but for what `next_page` needs."""

    __slots__ = ()

    async def next_page(self) -> AsyncPage[T] | None:
        """Fetches the page after this one, `None` after the last; a failed fetch may be tried again.

        Raises:
            ConfigError: When this is a copy, or was unpickled; or when the client is closed.
        """
        page: AsyncPage[T] | None = await self._next() if self._next is not None else None
        return page


class Pages(Generic[T]):
    """A list that fetches its pages while it is iterated; nothing is fetched before. Each iteration starts anew."""

    __slots__ = ("_first",)

    def __init__(self, first: Callable[[], Page[T]]) -> None:
        self._first = first

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from read_all(page.items)

    def pages(self) -> Iterator[Page[T]]:
        """Page by page."""
        page: Page[T] | None = self._first()
        while page is not None:
            yield page
            page = page.next_page()


class AsyncPages(Generic[T]):
    """A list that fetches its pages while it is iterated with `async for`; nothing is fetched before."""

    __slots__ = ("_first",)

    def __init__(self, first: Callable[[], Awaitable[AsyncPage[T]]]) -> None:
        self._first = first

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in read_all(page.items):
                yield item

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Page by page."""
        page: AsyncPage[T] | None = await self._first()
        while page is not None:
            yield page
            page = await page.next_page()
