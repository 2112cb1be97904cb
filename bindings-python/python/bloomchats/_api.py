"""What every API of a client has: `request`, for whatever its contract does not document."""

from __future__ import annotations

from bloomchats._arguments import NOT_GIVEN
from bloomchats._responding import async_wrapped, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final, TypeAlias

    from bloomchats._async_call import AsyncCaller
    from bloomchats._call import Caller, CallerBase
    from bloomchats._options import RequestOptions
    from typing_extensions import Unpack

    Query: TypeAlias = Mapping[str, str | int | float | bool]


def _requested(
    caller: CallerBase, method: str, path: str, query: Query | None, body: object
) -> tuple[str, dict[str, object]]:
    """The operation and its arguments."""
    arguments: dict[str, object] = {"method": method, "path": path, "query": query}
    if body is not NOT_GIVEN:
        arguments["body"] = body
    return f"{caller.name}.request", arguments


class Api:
    """An API with its resources."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = NOT_GIVEN,
        **options: Unpack[RequestOptions],
    ) -> Any:
        """Calls any path below the API's prefix and returns plain JSON, with the credentials, checks, retries and
        errors of every other call.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            path: Relative to the API's prefix, as `/contacts`.
            query: Query parameters.
            body: Anything JSON can express; `None` sends null.
        """
        return self._caller.call(*_requested(self._caller, method, path, query, body), options)

    @property
    def with_response(self) -> ApiWithResponse:
        """`request`, returning a `Response` around its value."""
        return ApiWithResponse(Api(self._caller.wrapping()))


class ApiWithResponse:
    """`request` with a `Response` around its value."""

    def __init__(self, api: Api) -> None:
        self.request: Final = wrapped(api.request)


class AsyncApi:
    """An API with its resources."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = NOT_GIVEN,
        **options: Unpack[RequestOptions],
    ) -> Any:
        """Calls any path below the API's prefix and returns plain JSON, with the credentials, checks, retries and
        errors of every other call.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            path: Relative to the API's prefix, as `/contacts`.
            query: Query parameters.
            body: Anything JSON can express; `None` sends null.
        """
        return await self._caller.call(*_requested(self._caller, method, path, query, body), options)

    @property
    def with_response(self) -> AsyncApiWithResponse:
        """`request`, returning a `Response` around its value."""
        return AsyncApiWithResponse(AsyncApi(self._caller.wrapping()))


class AsyncApiWithResponse:
    """`request` with a `Response` around its value."""

    def __init__(self, api: AsyncApi) -> None:
        self.request: Final = async_wrapped(api.request)
