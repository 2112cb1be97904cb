"""The asynchronous clients."""

from __future__ import annotations

from bloomchats._client import ClientBase
from bloomchats._lazy import TypeVar, loading, made_once
from bloomchats.generated.bloomchats.async_resources import AsyncBloomChatsApi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from bloomchats._options import ClientOptions
    from bloomchats.generated.blooio_v2.async_resources import AsyncBlooioV2Api
    from bloomchats.generated.blooio_v4.async_resources import AsyncBlooioV4Api
    from typing_extensions import Unpack

AsyncApiKey: TypeAlias = "str | Callable[[], str | Awaitable[str]]"


class _AsyncClient(ClientBase):
    async def close(self) -> None:
        """Lets go of connections. Calls under way end as they would have; later ones raise `ConfigError`."""
        self._connection.close()

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


A = TypeVar("A", bound=_AsyncClient)


class AsyncBlooio(_AsyncClient):
    """`Blooio` for asyncio and uvloop. One client may serve several event loops.

    Cancelling the task that awaits a call closes its connection; the `CancelledError` then carries `idempotency_key`
    and `maybe_sent`. Prefer `timeout=` to `asyncio.wait_for`: it raises an error that says the same.

    Args:
        api_key: As for `Blooio`; the callable may be asynchronous.
        settings: See `ClientOptions`.
    """

    def __init__(self, *, api_key: AsyncApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        self._connect("blooio", api_key, settings)

    @made_once
    def v2(self) -> AsyncBlooioV2Api:
        """Blooio v2."""
        with loading:
            from bloomchats.generated.blooio_v2.async_resources import AsyncBlooioV2Api
        return AsyncBlooioV2Api(self._connection)

    @made_once
    def v4(self) -> AsyncBlooioV4Api:
        """Blooio v4 (beta)."""
        with loading:
            from bloomchats.generated.blooio_v4.async_resources import AsyncBlooioV4Api
        return AsyncBlooioV4Api(self._connection)


class AsyncBloomChats(AsyncBloomChatsApi, _AsyncClient):
    """`BloomChats` for asyncio and uvloop; see `AsyncBlooio`."""

    def __init__(self, *, api_key: AsyncApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        super().__init__(self._connect("bloomchats", api_key, settings))
