"""How a resource's method reaches core: arguments down, models up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from bloomchats import _files, _native, _observe
from bloomchats._failure import error_of
from bloomchats._models import Model
from bloomchats._options import encode, encode_options, given
from bloomchats._page import Page, Pages, Response
from bloomchats.generated.errors import ConfigError

Models = Mapping[str, type[Model]]
Arguments = Mapping[str, object]
Options = Mapping[str, object]
Files = Mapping[str, Any]

C = TypeVar("C", bound="CallerBase")


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

    __slots__ = ("_connection", "_models", "_name", "_wraps")

    def __init__(self, connection: Connection, name: str, models: Models, wraps: bool = False) -> None:
        self._connection = connection
        self._name = name
        self._models = models
        self._wraps = wraps

    def wrapping(self: C) -> C:
        return type(self)(self._connection, self._name, self._models, wraps=True)

    def _prepare(self, operation: str, arguments: Arguments, options: Options, files: Files | None) -> _native.Call:
        uploads = [_files.read(name, file) for name, file in given(files).items()] if files else None
        return self._connection.native.call(
            f"{self._name}.{operation}", encode(given(arguments)), encode_options(options), uploads
        )

    def _checked(self, outcome: _native.Answer | _native.Failure) -> _native.Answer:
        if isinstance(outcome, _native.Failure):
            raise error_of(outcome, self._models)
        return outcome

    def _value(self, answer: _native.Answer, item: type[Model] | None) -> Any:
        value = json.loads(answer.body)
        model = self._models.get(answer.model)
        if item is not None and isinstance(value, list):
            value = [item(element) for element in cast("list[dict[str, Any]]", value)]
        elif model is not None and isinstance(value, dict):
            value = model(cast("dict[str, Any]", value))
        return self._told(answer, value)

    def _items(self, answer: _native.Answer) -> tuple[list[Any], Any]:
        body = json.loads(answer.body)
        found = body[answer.items] if answer.items else body
        model = self._models.get(answer.model)
        return [model(item) for item in found] if model is not None else found, body

    def _told(self, answer: _native.Answer, value: Any) -> Any:
        if not self._wraps:
            return value
        headers: dict[str, str] = {}
        for name, text in answer.headers:
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        return Response(value, answer.status, headers, answer.request_id, answer.attempts, answer.idempotency_key)


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
            return self._told(answer, self._page(answer))

        return first() if self._wraps else Pages(first)

    def _run(self, call: _native.Call) -> _native.Answer:
        return self._checked(call.run(self._connection.api_key, _observe.watch()))

    def _page(self, answer: _native.Answer) -> Page[Any]:
        items, body = self._items(answer)
        following = answer.next
        return Page(items, body, None if following is None else lambda: self._page(self._run(following)))
