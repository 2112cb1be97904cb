"""How a resource's method reaches core: arguments down, models up."""

from __future__ import annotations

import json

from bloomchats import _files, _native, _observe
from bloomchats._arguments import encode, encode_options
from bloomchats._failure import error_of
from bloomchats._lazy import TypeVar, cast
from bloomchats._page import Page, Pages, Response
from bloomchats.generated.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from bloomchats._models import Model

    Models: TypeAlias = Mapping[str, type[Model]]
    Arguments: TypeAlias = Mapping[str, object]
    Options: TypeAlias = Mapping[str, object]
    Files: TypeAlias = Mapping[str, Any]

C = TypeVar("C", bound="CallerBase")

_read = json.JSONDecoder().raw_decode


class Connection:
    """A client's native half, shared by its resources until it is closed, and who supplies its key."""

    __slots__ = ("_native", "api_key")

    def __init__(self, native: _native.Client, api_key: Callable[[], object] | None) -> None:
        self._native: _native.Client | None = native
        self.api_key = api_key

    @property
    def native(self) -> _native.Client:
        if self._native is None:
            raise ConfigError("the client is closed")
        return self._native

    def close(self) -> None:
        self._native = None


class CallerBase:
    """One API of a connection. `wraps`: values come inside a `Response`."""

    __slots__ = ("_connection", "_models", "_wraps", "name")

    def __init__(self, connection: Connection, name: str, models: Models, wraps: bool = False) -> None:
        self._connection = connection
        self._models = models
        self._wraps = wraps
        self.name = name

    def wrapping(self: C) -> C:
        return type(self)(self._connection, self.name, self._models, wraps=True)

    def _prepare(self, operation: str, arguments: Arguments, options: Options, files: Files | None) -> _native.Call:
        return self._connection.native.call(
            operation,
            encode(arguments),
            encode_options(options) if options else b"",
            _files.read(files) if files else None,
        )

    def _checked(self, outcome: _native.Answer | _native.Failure) -> _native.Answer:
        if isinstance(outcome, _native.Failure):
            raise error_of(outcome, self._models)
        return outcome

    def _value(self, answer: _native.Answer, item: type[Model] | None) -> Any:
        value = _json(answer)
        model = self._models.get(answer.model) if item is None else None
        if model is not None and isinstance(value, dict):
            value = model(cast("dict[str, Any]", value))
        elif item is not None and isinstance(value, list):
            value = list(map(item, cast("list[dict[str, Any]]", value)))
        return self._told(answer, value) if self._wraps else value

    def _items(self, answer: _native.Answer) -> tuple[list[Any], Any]:
        body = _json(answer)
        found = body[answer.items] if answer.items else body
        model = self._models.get(answer.model)
        return list(map(model, found)) if model is not None else found, body

    def _told(self, answer: _native.Answer, value: Any) -> Response[Any]:
        headers: dict[str, str] = {}
        for name, text in answer.headers:
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        return Response(value, answer.status, headers, answer.request_id, answer.attempts, answer.idempotency_key)


def _json(answer: _native.Answer) -> Any:
    """An answer's body. Core has read it: it is JSON in UTF-8, with blanks around it at most."""
    return _read(answer.body.decode().lstrip())[0]


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
        return self._value(self._run(self._prepare(operation, arguments, options, files)), item)

    def list(self, operation: str, arguments: Arguments, options: Options) -> Any:
        def first() -> Any:
            answer = self._run(self._prepare(operation, arguments, options, None))
            page = self._page(answer)
            return self._told(answer, page) if self._wraps else page

        return first() if self._wraps else Pages(first)

    def _run(self, call: _native.Call) -> _native.Answer:
        return self._checked(call.run(self._connection.api_key, _observe.watch()))

    def _page(self, answer: _native.Answer) -> Page[Any]:
        items, body = self._items(answer)
        following = answer.next
        return Page(items, body, None if following is None else lambda: self._page(self._run(following)))
