"""How a resource's method reaches core: arguments down, models up."""

from __future__ import annotations

from threading import get_ident, main_thread

from bloomchats import _files, _native, _observe
from bloomchats._arguments import encode, encode_options
from bloomchats._failure import error_of, mark
from bloomchats._key import key_of
from bloomchats._lazy import TypeVar, cast
from bloomchats._models import read, unread
from bloomchats._page import Page, Pages, Response
from bloomchats.generated.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from bloomchats._models import Model

    Models: TypeAlias = Mapping[str, type[Model]]
    Arguments: TypeAlias = dict[str, object]
    Options: TypeAlias = Mapping[str, object]
    Files: TypeAlias = Mapping[str, Any]

B = TypeVar("B")
C = TypeVar("C", bound="CallerBase")
R = TypeVar("R")


class Connection:
    """A client's native half, shared by its resources until it is closed, and who supplies its key."""

    __slots__ = ("_native", "api_key")

    def __init__(self, native: _native.Client, api_key: Callable[[], object] | None) -> None:
        self._native: _native.Client | None = native
        self.api_key: Callable[[], object] | None = api_key

    @property
    def native(self) -> _native.Client:
        if self._native is None:
            raise ConfigError("the client is closed")
        return self._native

    def check(self) -> None:
        """Raises `ConfigError` once it is closed, for calls that do without `native`."""
        _ = self.native

    def close(self) -> None:
        self._native = None


class CallerBase:
    """One API of a connection. `wraps`: values come inside a `Response`."""

    __slots__ = ("_connection", "_models", "_wraps", "name")

    def __init__(self, connection: Connection, name: str, models: Models, wraps: bool = False) -> None:
        self._connection = connection
        self._models = models
        self._wraps = wraps
        self.name: str = name

    def wrapping(self: C) -> C:
        return type(self)(self._connection, self.name, self._models, wraps=True)

    def _begin(
        self, begin: Callable[..., B | None], operation: str, arguments: Arguments, options: Options, files: Files | None
    ) -> Callable[..., B]:
        """`begin` with its last arguments: those of a call, which are written down only if it does not take them as they are."""
        settings = encode_options(operation, options) if options else b""
        uploads = _files.read(files) if files else None

        def begun(*place: object) -> B:
            taken = begin(*place, operation, arguments, settings, uploads)
            return taken or cast("B", begin(*place, operation, encode(arguments), settings, uploads))

        return begun

    def _value(self, answer: _native.Answer, item: type[Model] | None) -> Any:
        value = read(answer.text)
        model = self._models.get(answer.model) if item is None else None
        if model is not None and isinstance(value, dict):
            value = model(cast("dict[str, Any]", value))
        elif item is not None and isinstance(value, list):
            value = list(map(item, cast("list[dict[str, Any]]", value)))
        return self._told(answer, value) if self._wraps else value

    def _items(self, answer: _native.Answer) -> list[Any]:
        model = self._models.get(answer.model)
        if model is not None and (rows := answer.rows()) is not None:
            return unread(model, rows)
        body = read(answer.text)
        items: list[Any] = body[answer.items] if answer.items else body
        return items if model is None else list(map(model, items))

    def _told(self, answer: _native.Answer, value: Any) -> Response[Any]:
        headers: dict[str, str] = {}
        for name, text in answer.headers:
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        return Response(value, answer.status, headers, answer.request_id, answer.attempts, answer.idempotency_key)


def _finish(
    making: _native.Making, api_key: Callable[[], object] | None, watch: _observe.Watch | None
) -> _native.Answer | _native.Failure:
    """Takes a call to its end on this thread. Whatever is raised meanwhile ends it and closes its connection.

    The caller's code (`api_key`, `watch`, what `logging` runs) is run here and never inside native code: a daemon thread that is in it
    when the process exits is ended there and then, and native code that is on its stack would take the process with it.
    """
    try:
        while True:
            told = making.go_on(get_ident() == main_thread().ident)
            if isinstance(told, str):
                _observe.tell(watch, [told])
            elif isinstance(told, _native.Question):
                try:
                    told.answer(key_of(api_key() if api_key is not None else None))
                except Exception as error:
                    return making.without_key(error)
            else:
                return told
    finally:
        _observe.tell(watch, making.end())


class Caller(CallerBase):
    """Makes calls on the calling thread."""

    __slots__ = ()

    def call(
        self,
        operation: str,
        arguments: Arguments,
        options: Options,
        files: Files | None = None,
        item: type[Model] | None = None,
    ) -> Any:
        begin = self._begin(self._connection.native.make, operation, arguments, options, files)
        return self._run(begin, self._value, item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        def told(answer: _native.Answer) -> Any:
            return self._told(answer, self._page(answer))

        def first() -> Any:
            begin = self._begin(self._connection.native.make, operation, arguments, options, None)
            return self._run(begin, told if self._wraps else self._page)

        return first() if self._wraps else Pages(first)

    def _run(self, begin: Callable[[bool, bool], _native.Making], read: Callable[..., R], *rest: object) -> R:
        """Makes the call and reads its answer. Whatever is raised meanwhile carries `idempotency_key` and `maybe_sent`."""
        api_key, watch = self._connection.api_key, _observe.watch()
        making = begin(api_key is not None, watch is not None)
        try:
            outcome = _finish(making, api_key, watch)
            if isinstance(outcome, _native.Answer):
                return read(outcome, *rest)
            failed = error_of(outcome, self._models)
        except BaseException as error:
            mark(error, making)
            raise
        try:
            raise failed
        finally:
            # Its traceback holds this frame, which would hold it in turn.
            del failed

    def _page(self, answer: _native.Answer) -> Page[Any]:
        following = answer.next

        def fetch(following: _native.NextPage) -> Page[Any]:
            self._connection.check()
            return self._run(following.make, self._page)

        return Page(self._items(answer), answer, None if following is None else lambda: fetch(following))
