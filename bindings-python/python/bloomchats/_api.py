"""What every API of a client has: `request`, for whatever its contract does not document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bloomchats._options import NOT_GIVEN, RequestOptions
from bloomchats._responding import async_wrapped, wrapped

if TYPE_CHECKING:
    from bloomchats._async_call import AsyncCaller
    from bloomchats._call import Caller
    from typing_extensions import Unpack

Query = Mapping[str, "str | int | float | bool"]


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
        arguments = {"method": method, "path": path, "query": query, "body": body}
        return self._caller.call("request", arguments, options)

    @property
    def with_response(self) -> ApiWithResponse:
        """`request`, returning a `Response` around its value."""
        return ApiWithResponse(Api(self._caller.wrapping()))


class ApiWithResponse:
    """`request` with a `Response` around its value."""

    def __init__(self, api: Api) -> None:
        self.request = wrapped(api.request)


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
        arguments = {"method": method, "path": path, "query": query, "body": body}
        return await self._caller.call("request", arguments, options)

    @property
    def with_response(self) -> AsyncApiWithResponse:
        """`request`, returning a `Response` around its value."""
        return AsyncApiWithResponse(AsyncApi(self._caller.wrapping()))


class AsyncApiWithResponse:
    """`request` with a `Response` around its value."""

    def __init__(self, api: AsyncApi) -> None:
        self.request = async_wrapped(api.request)
