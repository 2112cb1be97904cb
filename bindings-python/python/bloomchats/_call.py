"""How a resource's method reaches core: arguments down, models up."""

from __future__ import annotations

import os
from contextlib import suppress
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
    Given: TypeAlias = tuple[Any, ...]
    """What a call consists of, as native code takes it: an operation and its arguments, or nothing more for a page that follows."""

C = TypeVar("C", bound="CallerBase")
R = TypeVar("R")


class Connection:
    """A client's native half, shared by its resources until it is closed, and who supplies its key."""

    __slots__ = ("api_key", "native")

    def __init__(self, native: _native.Client, api_key: Callable[[], object] | None) -> None:
        self.native: _native.Client = native
        self.api_key: Callable[[], object] | None = api_key

    if not TYPE_CHECKING:  # To type checkers it would mean that a connection has every attribute.

        def __getattr__(self, name: str) -> Any:
            if name == "native":
                raise ConfigError("the client is closed")
            return object.__getattribute__(self, name)

    def check(self) -> None:
        """Raises `ConfigError` once it is closed, for calls that do without `native`."""
        _ = self.native

    def close(self) -> None:
        with suppress(AttributeError):
            del self.native


def written(operation: str, arguments: Arguments, settings: bytes, uploads: _native.Files | None) -> Given:
    """The same with arguments written down, for native code that does not take them as they are."""
    return operation, encode(arguments), settings, uploads


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

    def _given(self, operation: str, arguments: Arguments, options: Options, files: Files | None) -> Given:
        """What a call consists of."""
        settings = encode_options(operation, options) if options else b""
        return operation, arguments, settings, _files.read(files) if files else None

    def _value(self, answer: _native.Answer, item: type[Model] | None) -> Any:
        told = read(answer.text)
        value: Any = told
        if item is not None:
            if isinstance(told, list):
                value = list(map(item, cast("list[dict[str, Any]]", told)))
        elif (model := self._models.get(answer.model)) is not None and isinstance(told, dict):
            value = model(told)  # pyright: ignore[reportUnknownArgumentType]
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


_main = main_thread().ident
"""The thread that handlers of signals run on. To ask `threading` at each call would be two functions more."""


def _forked() -> None:
    """The thread that forked is the only one in its child."""
    global _main
    _main = get_ident()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _finish(
    making: _native.Making, api_key: Callable[[], object] | None, watch: _observe.Watch | None
) -> _native.Answer | _native.Failure:
    """Takes a call to its end on this thread. Whatever is raised meanwhile ends it and closes its connection.

    The caller's code (`api_key`, `watch`, what `logging` runs) is run here and never inside native code: a daemon thread that is in it
    when the process exits is ended there and then, and native code that is on its stack would take the process with it.
    """
    try:
        while True:
            told = making.go_on(get_ident() == _main)
            if isinstance(told, (_native.Answer, _native.Failure)):
                return told
            if isinstance(told, str):
                _observe.tell(watch, [told])
                continue
            try:
                told.answer(key_of(api_key() if api_key is not None else None))
            except Exception as error:
                return making.without_key(error)
    finally:
        unseen = making.end()
        if watch is not None:
            _observe.tell(watch, unseen)


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
        make = self._connection.native.make
        return self._run(make, self._given(operation, arguments, options, files), self._value, item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        def told(answer: _native.Answer) -> Any:
            return self._told(answer, self._page(answer))

        def first() -> Any:
            make = self._connection.native.make
            given = self._given(operation, arguments, options, None)
            return self._run(make, given, told if self._wraps else self._page)

        return first() if self._wraps else Pages(first)

    def _run(
        self, make: Callable[..., _native.Making | None], given: Given, read: Callable[..., R], *rest: object
    ) -> R:
        """Makes the call and reads its answer. Whatever is raised meanwhile carries `idempotency_key` and `maybe_sent`."""
        api_key, watch = self._connection.api_key, _observe.watch()
        asks, watched = api_key is not None, watch is not None
        making = make(asks, watched, *given) or cast("_native.Making", make(asks, watched, *written(*given)))
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
            return self._run(following.make, (), self._page)

        return Page(self._items(answer), answer, None if following is None else lambda: fetch(following))
