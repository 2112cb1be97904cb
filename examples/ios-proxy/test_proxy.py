"""What the backend refuses: `test_proxy.py URL PASSWORD`."""

import json
import sys
import urllib.error
import urllib.request

URL, PASSWORD = sys.argv[1:]


def ask(method: str, path: str, body: object = None, token: str = "") -> tuple[int, dict]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"content-type": "application/json"}, method=method)
    if token:
        request.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


status, answer = ask("POST", "/session", {"password": PASSWORD})
assert status == 200, answer
token = answer["session"]
forged = token[:-1] + ("0" if token[-1] != "0" else "1")
MESSAGES = "/v2/api/chats/%2B15551234567/messages"
EXPECTED = [
    ("POST", "/session", {"password": "guess"}, "", 401),
    ("POST", "/session", [], "", 400),
    ("POST", MESSAGES, {"text": "Hello"}, "", 401),
    ("POST", MESSAGES, {"text": "Hello"}, forged, 401),
    ("GET", "/v2/api/contacts", None, token, 403),
    ("DELETE", MESSAGES, None, token, 403),
    ("POST", MESSAGES + "/../../../contacts", {}, token, 403),
    ("POST", "/v2/api/chats/../messages", {}, token, 403),
    ("GET", "/v2/api/chats/%2e%2E/messages/x/status", None, token, 403),
    ("POST", MESSAGES + "?x=1", {"text": "Hello"}, token, 403),
    ("POST", MESSAGES, {}, token, 400),  # the service's own refusal comes through
]
for method, path, body, given, expected in EXPECTED:
    status, answer = ask(method, path, body, given)
    assert status == expected, (method, path, status, answer)
print(f"the backend refuses as it should ({len(EXPECTED)} ways)")
