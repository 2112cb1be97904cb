"""The corpus, and how what happened is compared with it. `test_sync.py` and `test_async.py` make it happen."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bloomchats import webhooks
from bloomchats.errors import BloomChatsError

ROOT = Path(__file__).parents[3]
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def cases() -> list[dict[str, Any]]:
    """Every case; a corpus without any, or with one id twice, is a failure."""
    files = sorted((ROOT / "tests/conformance").glob("*.json"))
    found = [case for file in files for case in json.loads(file.read_text("utf-8"))["cases"]]
    assert found, "the corpus has no cases"
    ids = [case["id"] for case in found]
    assert len(ids) == len(set(ids)), "an id stands twice"
    return found


def write_passed(language: str, ids: set[str]) -> None:
    """The ids that passed, for the comparison between languages."""
    given = os.environ.get("BLOOMCHATS_CONFORMANCE_OUT")
    out = Path(given) if given else ROOT / f"target/conformance/{language}.txt"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(f"{id}\n" for id in sorted(ids)), "utf-8")


def without_environment(patch: Any) -> None:
    """What the machine sets must not reach a case."""
    for name in ("BLOOIO_API_KEY", "BLOOIO_BASE_URL", "BLOOMCHATS_API_KEY", "BLOOMCHATS_BASE_URL"):
        patch.delenv(name, raising=False)


@contextmanager
def watched(case: Mapping[str, Any]) -> Generator[list[Any], None, None]:
    """The events of a case as its log has them. A case that does not speak of any runs with nobody looking."""
    events: list[Any] = []
    if "events" not in case["expect"]:
        yield events
        return
    handler = logging.Handler()
    handler.emit = lambda record: events.append(record.bloomchats)  # type: ignore[attr-defined, method-assign]
    logger = logging.getLogger("bloomchats")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield events
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def client_settings(client: Mapping[str, Any]) -> tuple[str, dict[str, Any], bool]:
    """A client's product, its keyword arguments, and whether it has no key at all."""
    given = {name: value for name, value in client.items() if name != "product"}
    return client["product"], settings(given), "api_key" in given and given["api_key"] is None


def method(client: Any, operation: str) -> Any:
    """The public method behind an operation's name, in its form that returns a `Response`."""
    product, *path, name = operation.split(".")
    for step in path:
        client = getattr(client, step)
    return getattr(client.with_response, name)


def arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments, files and options as keyword arguments."""
    given = json.loads(call["arguments_json"]) if "arguments_json" in call else call["arguments"]
    kwargs = {python_name(name): value for name, value in given.items()}
    for file in call.get("files", ()):
        content = base64.b64decode(file["base64"]) if "base64" in file else file["text"].encode()
        kwargs[file["field"]] = (file["filename"], content, file["content_type"])
    return kwargs | settings(call.get("options", {}))


def settings(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a call or a client: Python counts seconds."""
    return {
        name.removesuffix("_ms"): value / 1000 if name.endswith("_ms") else value for name, value in wire.items()
    }


def python_name(name: str) -> str:
    return f"{name}_" if name == "from" else name


def plain(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def model_of(value: Any) -> str:
    return type(value).__name__ if hasattr(value, "to_dict") else ""


def success(response: Any) -> dict[str, Any]:
    """What a `Response` tells."""
    told = {name: getattr(response, name) for name in ("status", "attempts", "idempotency_key", "request_id")}
    return {**told, "value": plain(response.value), "model": model_of(response.value), "typed": response.value}


def failure(error: Any) -> dict[str, Any]:
    """What an exception tells."""
    names = ("kind", "status", "code", "attempts", "maybe_sent", "idempotency_key", "request_id", "argument", "reason", "body")
    told = {name: getattr(error, name) for name in names}
    told |= {name: plain(getattr(error, name)) for name in ("result", "last_status")}
    told["retry_after_s"] = error.retry_after
    told["message"] = f"{error.message} {error} {error!r}"
    if error.__cause__ is not None and hasattr(error.__cause__, "kind"):
        told["cause"] = failure(error.__cause__)["error"]
    return {"error": told}


def listed(pages: list[Any]) -> dict[str, Any]:
    """What a list gave."""
    models = {model_of(item) for page in pages for item in page}
    return {"pages": plain(pages), **({"model": models.pop()} if len(models) == 1 else {})}


def refused(error: Any) -> dict[str, Any]:
    """What a client that cannot be opened leaves behind."""
    return {"requests": [], "request_count": 0, "waits_ms": [], "results": [failure(error)]}


def run_webhook(case: Mapping[str, Any]) -> dict[str, Any]:
    """One of the three functions on webhooks."""
    try:
        if "sign" in case:
            given = case["sign"]
            return {"header": webhooks.sign(given["body"].encode(), given["secret"], at=given["at_s"])}
        if "parse" in case:
            event = webhooks.parse(case["parse"]["body"].encode())
        else:
            given = case["verify"]
            tolerance = {"tolerance": given["tolerance_s"]} if "tolerance_s" in given else {}
            body, now = given["body"].encode(), given["now_s"]
            event = webhooks.verify(body, given["header"], given["secrets"], now=now, **tolerance)
    except BloomChatsError as error:
        return failure(error)
    told = {name: getattr(event, name) for name in ("type", "version", "id")}
    return {"event": {**told, "model": model_of(event.data), "data": plain(event.data)}}


def happened(client: Any, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole case in the form of `expect`, generated keys replaced by `{{key}}`, `{{key2}}`, …"""
    requests = [
        {**request, "headers": {name: text for name, text in request["headers"].items() if name != "user-agent"}}
        for request in client.requests
    ]
    keys: list[str] = []
    for request in requests:
        for key in _UUID4.findall(request["headers"].get("idempotency-key", "")):
            if key not in keys:
                keys.append(key)
    names = {key: "{{key%s}}" % ("" if at == 0 else at + 1) for at, key in enumerate(keys)}
    told = {"requests": requests, "request_count": len(requests), "waits_ms": client.waits_ms, "results": results}
    return _rename(told, names)  # type: ignore[no-any-return]


def _rename(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _UUID4.sub(lambda found: names.get(found[0], found[0]), value)
    if isinstance(value, list):
        return [_rename(item, names) for item in value]
    return {key: _rename(item, names) for key, item in value.items()} if isinstance(value, dict) else value


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Every key of `expected` must hold in `actual`; nothing else is compared, but for an error nobody expected."""
    if "error" in actual and "error" not in expected:
        yield f"{at}: an error: {actual['error']}"
    message = actual.get("message", "")
    for key, wanted in expected.items():
        got, where = actual.get(key), f"{at} {key}".strip()
        if key in ("error", "cause", "event") and isinstance(got, dict):
            yield from differences(wanted, got, where)
        elif key in ("requests", "results") and isinstance(got, list):
            if len(wanted) != len(got):
                yield f"{where}: {len(wanted)} expected, got {got}"
            for number, (one, other) in enumerate(zip(wanted, got)):
                yield from differences(one, other, f"{where}[{number}]")
        elif key == "read":
            for path, value in wanted.items():
                if _read(actual.get("typed"), path) != value:
                    yield f"{where} {path}\n    expected {value!r}\n    got      {_read(actual.get('typed'), path)!r}"
        elif key == "message_contains" and wanted in message or key == "message_excludes" and wanted not in message:
            pass
        elif key in ("message_contains", "message_excludes") or not same(wanted, got):
            yield f"{where}\n    expected {wanted!r}\n    got      {got if key in actual else message!r}"


def same(wanted: Any, got: Any) -> bool:
    """JSON equality: Python alone holds that `True == 1`."""
    return json.dumps(wanted, sort_keys=True) == json.dumps(got, sort_keys=True) or (
        isinstance(wanted, (int, float)) and isinstance(got, (int, float)) and type(got) is not bool and wanted == got
    )


def _read(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, python_name(name), None)
    return plain(value)
