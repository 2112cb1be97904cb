"""Every error class. `except BloomChatsError` catches them all."""

from __future__ import annotations

from bloomchats.generated import errors as _generated
from bloomchats.generated.errors import *

__all__: list[str] = []
__all__ += _generated.__all__

for _name in __all__:
    # Tracebacks and logs name an error as it is imported and caught.
    getattr(_generated, _name).__module__ = "bloomchats"
