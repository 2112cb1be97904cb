"""What clients have in common, and the synchronous client of Blooio."""

from __future__ import annotations

from bloomchats._lazy import TypeVar, loading, made_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from bloomchats._call import Connection
    from bloomchats._options import ClientOptions
    from bloomchats.generated.blooio_v2.resources import BlooioV2Api
    from bloomchats.generated.blooio_v4.resources import BlooioV4Api
    from typing_extensions import Unpack

ApiKey: TypeAlias = "str | Callable[[], str]"


class ClientBase:
    """What every client has. Threads may share one, and a forked child may go on using its parent's."""

    _transcript: bytes | None = None

    def _connect(self, product: str, api_key: object, settings: Mapping[str, object]) -> Connection:
        with loading:
            from bloomchats._connect import check_names, connect
        check_names(type(self).__name__, settings)
        self._connection: Connection = connect(product, api_key, settings, self._transcript)
        return self._connection

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class SyncClient(ClientBase):
    def close(self) -> None:
        """Lets go of connections. Calls under way end as they would have; later ones raise `ConfigError`."""
        self._connection.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


S = TypeVar("S", bound=SyncClient)


class Blooio(SyncClient):
    """Blooio: iMessage, SMS and RCS through `v2`, many channels through `v4` (beta).

    Args:
        api_key: The key, or a callable that returns the current one: it is asked before a call, and once more after a
            401. Without it, the environment variable `BLOOIO_API_KEY`.
        settings: See `ClientOptions`.

    Raises:
        ConfigError: When the key is missing or a setting malformed. Nothing is connected before the first call.
    """

    def __init__(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        self._connect("blooio", api_key, settings)

    @made_once
    def v2(self) -> BlooioV2Api:
        """Blooio v2."""
        with loading:
            from bloomchats.generated.blooio_v2.resources import BlooioV2Api
        return BlooioV2Api(self._connection)

    @made_once
    def v4(self) -> BlooioV4Api:
        """Blooio v4 (beta)."""
        with loading:
            from bloomchats.generated.blooio_v4.resources import BlooioV4Api
        return BlooioV4Api(self._connection)
