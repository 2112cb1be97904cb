"""Idempotency keys, and API keys that a callable supplies."""

from __future__ import annotations

from bloomchats import _native
from bloomchats._failure import error_of


def new_idempotency_key() -> str:
    """A fresh key: a version 4 UUID from the operating system, which forked children never share.

    Keep it beside the message before sending, and pass it as `idempotency_key`: a later call with the same key and the
    same content sends nothing twice.
    """
    key = _native.new_idempotency_key()
    if isinstance(key, _native.Failure):
        raise error_of(key)
    return key


def key_of(answer: object) -> str:
    """What an `api_key` callable answered."""
    if isinstance(answer, str):
        return answer
    raise TypeError(f"api_key returned {type(answer).__name__}, not str")
