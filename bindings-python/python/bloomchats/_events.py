"""The base of webhook events; the classes below it are generated."""

from __future__ import annotations

from bloomchats._models import Model, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class WebhookEvent:
    """A webhook's event. Of a type this version does not know, it is this class itself, with everything in `raw`.

    `repr` shows no content; events are equal when their types and bodies are, and pickle.
    """

    __slots__ = ("_data", "id", "raw", "type", "version")
    if TYPE_CHECKING:  # `__eq__` has set it, and `typing.get_type_hints` would find no `ClassVar`.
        __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, version: str, type: str, id: str | None, data: dict[str, Any], raw: dict[str, Any]) -> None:
        self.version: str = version
        """`v2` or `v4`."""
        self.type: str = type
        """`message.received`, `poll.voted`, …; an open set."""
        self.id: str | None = id
        """v4: the envelope's id, the same on retries and replays. v2 has none."""
        self.raw: dict[str, Any] = raw
        """The whole body."""
        self._data = data

    @property
    def data(self) -> Model:
        """v4: what the envelope holds. v2: the whole body."""
        return Unknown(self._data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WebhookEvent) or type(other) is not type(self):
            return NotImplemented
        return self.raw == other.raw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.version, self.type, self.id, self._data, self.raw)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(version={self.version!r}, type={self.type!r})"
