"""Every error class. `except BloomChatsError` catches them all."""

from __future__ import annotations

from bloomchats._errors import BloomChatsError
from bloomchats.generated.errors import *  # noqa: F403
from bloomchats.generated.errors import __all__ as _generated

__all__ = ["BloomChatsError", *_generated]  # pyright: ignore[reportUnsupportedDunderAll]
