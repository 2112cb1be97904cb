"""BloomChats (Instagram DM automation) and Blooio (iMessage, SMS, RCS and more), never sending a message twice.

    from bloomchats import Blooio

    blooio = Blooio()  # api_key=…, else BLOOIO_API_KEY
    sent = blooio.v2.messages.send("+15551234567", text="Hello")
    blooio.v2.messages.wait("+15551234567", sent, until="delivered", timeout=30)
"""

from __future__ import annotations

from bloomchats import errors
from bloomchats._lazy import loading
from bloomchats._native import VERSION as __version__
from bloomchats.generated.errors import *

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bloomchats import v2, v4, webhooks
    from bloomchats._arguments import NOT_GIVEN, NotGiven
    from bloomchats._async_client import AsyncBloomChats, AsyncBlooio
    from bloomchats._bloomchats import BloomChats
    from bloomchats._client import Blooio
    from bloomchats._key import new_idempotency_key
    from bloomchats._models import Model, Unknown
    from bloomchats._options import CallOptions, ClientOptions, FileInput, Plan, RequestOptions
    from bloomchats._page import AsyncPage, AsyncPages, Page, Pages, Response
    from bloomchats._time import to_datetime

__all__ = [
    "NOT_GIVEN",
    "AsyncBloomChats",
    "AsyncBlooio",
    "AsyncPage",
    "AsyncPages",
    "BloomChats",
    "Blooio",
    "CallOptions",
    "ClientOptions",
    "FileInput",
    "Model",
    "NotGiven",
    "Page",
    "Pages",
    "Plan",
    "RequestOptions",
    "Response",
    "Unknown",
    "__version__",
    "errors",
    "new_idempotency_key",
    "to_datetime",
    "v2",
    "v4",
    "webhooks",
]
__all__ += errors.__all__

_LATER = {
    "_arguments": ("NOT_GIVEN", "NotGiven"),
    "_async_client": ("AsyncBloomChats", "AsyncBlooio"),
    "_bloomchats": ("BloomChats",),
    "_client": ("Blooio",),
    "_key": ("new_idempotency_key",),
    "_models": ("Model", "Unknown"),
    "_options": ("CallOptions", "ClientOptions", "FileInput", "Plan", "RequestOptions"),
    "_page": ("AsyncPage", "AsyncPages", "Page", "Pages", "Response"),
    "_time": ("to_datetime",),
    "v2": ("v2",),
    "v4": ("v4",),
    "webhooks": ("webhooks",),
}
"""Names and the modules that are loaded when one of theirs is first used."""

if not TYPE_CHECKING:

    def __getattr__(name):
        home = next((module for module, names in _LATER.items() if name in names), None)
        # Any other name is refused without `loading`: our own modules, while they are loaded, ask here for one another.
        if home is None:
            raise AttributeError(f"module 'bloomchats' has no attribute {name!r}")
        with loading:
            module = __import__(f"bloomchats.{home}", fromlist=[""])
        value = globals()[name] = module if home == name else getattr(module, name)
        return value

    def __dir__():
        return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
