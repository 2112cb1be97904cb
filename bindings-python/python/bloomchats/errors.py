"""Every error class. `except BloomChatsError` catches them all."""

from __future__ import annotations

from bloomchats.generated import errors as _generated
from bloomchats.generated.errors import *

__all__: list[str] = []
__all__ += _generated.__all__
