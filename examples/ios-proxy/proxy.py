"""An app's own backend in miniature: it holds the long-lived Blooio key, so that the app does not have to.

    BLOOIO_API_KEY=... APP_PASSWORD=... python3 proxy.py [--port 8787]

The app logs in (`POST /session`, here with one password for everybody: put your own login in its place) and gets a
session that ends after `SESSION_SECONDS` (600 by default). It then calls the Blooio API at this address with the session
as its key. What the list below does not allow is refused; everything else goes on to `BLOOIO_BASE_URL` with the real key.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALLOWED = [
    ("POST", r"/v2/api/chats/[^/]+/messages"),
    ("GET", r"/v2/api/chats/[^/]+/messages/[^/]+/status"),
]
"""What an app may do. The path is compared as it came, still encoded."""

FORWARDED = ("accept", "content-type", "idempotency-key", "user-agent")
RETURNED = ("content-type", "retry-after", "x-request-id", "idempotency-replayed")
LARGEST_BODY = 1 << 20

UPSTREAM = os.environ.get("BLOOIO_BASE_URL") or "https://backend.blooio.com"
KEY = os.environ["BLOOIO_API_KEY"]
PASSWORD = os.environ["APP_PASSWORD"]
LIFETIME = float(os.environ.get("SESSION_SECONDS", "600"))
SIGNING_KEY = secrets.token_bytes(32)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, *_: object) -> None:
        return None


UPSTREAM_OPENER = urllib.request.build_opener(NoRedirect)


def allows(method: str, path: str) -> bool:
    # Dot segments would be folded on the way, and the path become another one.
    folds = any(urllib.parse.unquote(segment) in (".", "..") for segment in path.split("/"))
    return not folds and any(method == known and re.fullmatch(form, path) for known, form in ALLOWED)


def session() -> str:
    """A token that says until when it holds, and proves that this process wrote it."""
    end = str(int((time.time() + LIFETIME) * 1000))
    return f"app_{end}_{signature(end)}"


def holds(token: str) -> bool:
    form = re.fullmatch(r"app_(\d{1,16})_([0-9a-f]{64})", token)
    return form is not None and hmac.compare_digest(form[2], signature(form[1])) and int(form[1]) > time.time() * 1000


def signature(end: str) -> str:
    return hmac.new(SIGNING_KEY, end.encode(), hashlib.sha256).hexdigest()


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def handle_any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self.refuse(413, "too large")
        body = self.rfile.read(length)
        if (self.command, self.path) == ("POST", "/session"):
            return self.log_in(body)
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not holds(token):
            return self.refuse(401, "no session, or one that has ended")
        if not allows(self.command, self.path):
            return self.refuse(403, "not for apps")
        self.forward(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_in(self, body: bytes) -> None:
        try:
            password = json.loads(body)["password"]
        except (ValueError, KeyError, TypeError):
            return self.refuse(400, "a login is {\"password\": …}")
        if not isinstance(password, str) or not hmac.compare_digest(password.encode(), PASSWORD.encode()):
            return self.refuse(401, "wrong password")
        self.answer(200, {"content-type": "application/json"}, json.dumps({"session": session(), "seconds": LIFETIME}).encode())

    def forward(self, body: bytes) -> None:
        headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
        headers["authorization"] = f"Bearer {KEY}"
        request = urllib.request.Request(UPSTREAM + self.path, body or None, headers, method=self.command)
        try:
            with UPSTREAM_OPENER.open(request, timeout=25) as response:
                status, given, content = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            status, given, content = error.code, error.headers, error.read()
        except OSError:
            return self.refuse(502, "the service cannot be reached")
        self.answer(status, {name: given[name] for name in RETURNED if name in given}, content)

    def refuse(self, status: int, message: str) -> None:
        body = json.dumps({"error": "own_backend", "message": message, "status": status}).encode()
        self.answer(status, {"content-type": "application/json"}, body)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Paths hold phone numbers, so nothing is written down."""


def main() -> None:
    parser = argparse.ArgumentParser(description="An app's own backend in miniature.")
    parser.add_argument("--port", type=int, default=8787)
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Backend)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
