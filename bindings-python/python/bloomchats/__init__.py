"""BloomChats (Instagram DM automation) and Blooio (iMessage, SMS, RCS and more), never sending a message twice.

    from bloomchats import Blooio

    blooio = Blooio()  # api_key=…, else BLOOIO_API_KEY
    sent = blooio.v2.messages.send("+15551234567", text="Hello")
    blooio.v2.messages.wait("+15551234567", sent, until="delivered", timeout=30)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bloomchats import errors
from bloomchats._client import BloomChats, Blooio
from bloomchats._files import FileInput
from bloomchats._key import new_idempotency_key
from bloomchats._models import Model, Unknown
from bloomchats._native import VERSION as __version__
from bloomchats._options import NOT_GIVEN, CallOptions, ClientOptions, NotGiven, Plan, RequestOptions
from bloomchats._page import AsyncPage, AsyncPages, Page, Pages, Response
from bloomchats._time import to_datetime
from bloomchats.errors import *

if TYPE_CHECKING:
    from bloomchats import v2, v4, webhooks
    from bloomchats._async_client import AsyncBloomChats, AsyncBlooio

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


def __getattr__(name: str) -> Any:
    # Loaded when first used: a script that sends one message should not wait for asyncio and webhooks.
    if name in ("v2", "v4", "webhooks"):
        return importlib.import_module(f"bloomchats.{name}")
    if name in ("AsyncBlooio", "AsyncBloomChats"):
        return getattr(importlib.import_module("bloomchats._async_client"), name)
    raise AttributeError(f"module 'bloomchats' has no attribute {name!r}")
