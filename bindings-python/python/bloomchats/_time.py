"""Times: integers on the wire and in models, `datetime` when you ask."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECONDS_END = 100_000_000_000
"""A moment below it is in seconds, any other in milliseconds."""


def to_datetime(moment: int) -> datetime:
    """The moment as an aware `datetime` in UTC. Milliseconds; values below 1e11 are read as seconds."""
    milliseconds = moment * 1000 if abs(moment) < SECONDS_END else moment
    return _EPOCH + timedelta(milliseconds=milliseconds)
