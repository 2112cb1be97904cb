"""A loopback server small enough to trust: it answers, stays silent, and sees its clients hang up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SILENCE = None
"""The reply that never comes: the server waits until the client closes."""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, Any] | None


class Server:
    """Calls `reply(request)` for each request; `with` starts and stops it."""

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.open = 0
        self.hung_up = threading.Event()
        """A client closed while it was waiting for an answer."""
        self.asked = threading.Event()
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def wait_for_connections(self, count: int, seconds: float = 5) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.open == count, seconds), f"{self.open} connections are open"

    def wait_for_requests(self, count: int, seconds: float = 5) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, seconds), f"{len(self.requests)} requests"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _count(self, change: int) -> None:
        with self._changed:
            self.open += change
            self._changed.notify_all()

    def _serve(self, connection: socket.socket) -> None:
        self._count(1)
        try:
            with connection, connection.makefile("rb") as stream:
                while request := _read(stream):
                    with self._changed:
                        self.requests.append(request)
                        self._changed.notify_all()
                    self.asked.set()
                    reply = self.reply(request)
                    if reply is None:
                        if not stream.read(1):
                            self.hung_up.set()
                        return
                    connection.sendall(_write(*reply))
        except OSError:
            pass
        finally:
            self._count(-1)


def _read(stream: Any) -> Request | None:
    start = stream.readline().decode()
    if not start:
        return None
    method, target, _ = start.split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, stream.read(int(headers.get("content-length", 0))))


def _write(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
