"""The synchronous clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from bloomchats import _native
from bloomchats._call import Caller, Connection
from bloomchats._failure import error_of
from bloomchats._options import ClientOptions, encode_config
from bloomchats.generated.blooio_v2.models import MODELS as _V2
from bloomchats.generated.blooio_v2.resources import BlooioV2Api
from bloomchats.generated.blooio_v4.models import MODELS as _V4
from bloomchats.generated.blooio_v4.resources import BlooioV4Api
from bloomchats.generated.bloomchats.models import MODELS as _BLOOMCHATS
from bloomchats.generated.bloomchats.resources import BloomChatsApi

if TYPE_CHECKING:
    from typing_extensions import Unpack

ApiKey: TypeAlias = "str | Callable[[], str]"


class ClientBase:
    """What every client has. Threads may share one, and a forked child may go on using its parent's."""

    _connection: Connection
    _transcript: bytes | None = None

    def connect(self, product: str, api_key: object, settings: Mapping[str, object]) -> Connection:
        supplier = api_key if callable(api_key) else None
        native = _native.Client.open(encode_config(product, api_key, settings), supplier is not None, self._transcript)
        if isinstance(native, _native.Failure):
            raise error_of(native)
        self._connection = Connection(native, supplier)
        return self._connection

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _SyncClient(ClientBase):
    def close(self) -> None:
        """Lets go of connections. Calls under way end as they would have; later ones raise `ConfigError`."""
        self._connection.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


S = TypeVar("S", bound=_SyncClient)


class Blooio(_SyncClient):
    """Blooio: iMessage, SMS and RCS through `v2`, many channels through `v4` (beta).

    Args:
        api_key: The key, or a callable that returns the current one: it is asked before a call, and once more after a
            401. Without it, the environment variable `BLOOIO_API_KEY`.
        settings: See `ClientOptions`.

    Raises:
        ConfigError: When the key is missing or a setting malformed. Nothing is connected before the first call.
    """

    def __init__(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        connection = self.connect("blooio", api_key, settings)
        self.v2 = BlooioV2Api(Caller(connection, "blooio.v2", _V2))
        """Blooio v2."""
        self.v4 = BlooioV4Api(Caller(connection, "blooio.v4", _V4))
        """Blooio v4 (beta)."""


class BloomChats(BloomChatsApi, _SyncClient):
    """BloomChats: Instagram DM automation. Its page documents one endpoint; `request` reaches everything else.

    Args:
        api_key: As for `Blooio`; without it, the environment variable `BLOOMCHATS_API_KEY`.
        settings: See `ClientOptions`.

    Raises:
        ConfigError: When the key is missing or a setting malformed. Nothing is connected before the first call.
    """

    def __init__(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        super().__init__(Caller(self.connect("bloomchats", api_key, settings), "bloomchats", _BLOOMCHATS))
