"""The synchronous client of BloomChats."""

from __future__ import annotations

from bloomchats._client import SyncClient
from bloomchats.generated.bloomchats.resources import BloomChatsApi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bloomchats._client import ApiKey
    from bloomchats._options import ClientOptions
    from typing_extensions import Unpack


class BloomChats(BloomChatsApi, SyncClient):
    """BloomChats: Instagram DM automation. Its page documents one endpoint; `request` reaches everything else.

    Args:
        api_key: As for `Blooio`; without it, the environment variable `BLOOMCHATS_API_KEY`.
        settings: See `ClientOptions`.

    Raises:
        ConfigError: When the key is missing or a setting malformed. Nothing is connected before the first call.
    """

    def __init__(self, *, api_key: ApiKey | None = None, **settings: Unpack[ClientOptions]) -> None:
        super().__init__(self._connect("bloomchats", api_key, settings))
