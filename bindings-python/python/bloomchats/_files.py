"""What an upload may be given as."""

from __future__ import annotations

import os

from bloomchats._arguments import NOT_GIVEN
from bloomchats._failure import invalid_argument
from bloomchats._lazy import cast, loading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_TYPE = "application/octet-stream"
_MOST = 16 * 1024 * 1024


def read(files: Mapping[str, object]) -> list[tuple[str, str, str, bytes]]:
    """`(argument, file name, content type, bytes)` of each that is given."""
    return [_read(argument, file) for argument, file in files.items() if file is not NOT_GIVEN]


def _read(argument: str, given: object) -> tuple[str, str, str, bytes]:
    if isinstance(given, tuple):
        return argument, *_named(argument, cast("tuple[object, ...]", given))
    if isinstance(given, (bytes, bytearray)):
        return argument, argument, _sniff(given), bytes(given)
    if isinstance(given, os.PathLike):
        path = os.fspath(cast("os.PathLike[str]", given))
        try:
            with open(path, "rb") as file:
                content = file.read(_MOST + 1)  # Core refuses what is larger, however large.
        except OSError as error:
            raise invalid_argument(argument, f"the file cannot be read ({error.strerror})") from error
        return argument, os.path.basename(path), _by_name(path, content), content
    read = getattr(given, "read", None)
    data = read() if callable(read) else None
    if not isinstance(data, bytes):
        raise invalid_argument(argument, "expected bytes, a pathlib.Path, a binary file, or (file name, bytes, content type)")
    name = os.path.basename(str(getattr(given, "name", argument)))
    return argument, name, _by_name(name, data), data


def _named(argument: str, given: tuple[object, ...]) -> tuple[str, str, bytes]:
    match given:
        case (str(name), bytes(content) | bytearray(content), str(content_type)):
            return name, content_type, bytes(content)
        case _:
            raise invalid_argument(argument, "expected (file name, bytes, content type)")


def _by_name(name: str, content: bytes) -> str:
    with loading:
        import mimetypes
    return mimetypes.guess_type(name)[0] or _sniff(content)


def _sniff(content: bytes | bytearray) -> str:
    """The image types that both services take, by their first bytes."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    return _DEFAULT_TYPE
