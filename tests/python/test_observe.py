"""What the application's log and traces say about calls."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from bloomchats import APITimeoutError, AsyncBlooio, Blooio, ConfigError, InternalServerError
from bloomchats.testing import scripted
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from server import Request, Server
from test_cancel import Runner, every_loop

PERSON = "+15551234567"
SENT: dict[str, Any] = {"status": 202, "json": {"message_id": "m1"}, "delay_ms": 20}
BUSY: dict[str, Any] = {"status": 503, "headers": {"retry-after": "2", "x-request-id": "req_1"}, "delay_ms": 10}
TEMPLATE = "/v2/api/chats/{chat}/messages"

exporter = InMemorySpanExporter()
"""OpenTelemetry takes one provider a process, so all tests share it."""


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "bloomchats")
    return caplog


def events(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [cast("Any", record).bloomchats for record in log.records if record.name == "bloomchats"]


def told(log: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Level, scope, and what came of each."""
    facts = [event["attributes"] for event in events(log)]
    return [
        (record.levelname, event["scope"], fact.get("error.type") or str(fact["http.response.status_code"]))
        for record, event, fact in zip(log.records, events(log), facts)
    ]


def send(blooio: Blooio, **options: Any) -> None:
    blooio.v2.messages.send(PERSON, text="Hello", **options)


def test_the_log_of_a_call_that_was_repeated(log: pytest.LogCaptureFixture) -> None:
    send(scripted(Blooio, [BUSY, SENT]))
    assert [(record.levelname, record.getMessage()) for record in log.records] == [
        ("INFO", "blooio.v2.messages.send attempt 1: 503 after 0.01 s, again in 2 s, maybe sent (request req_1)"),
        ("DEBUG", "blooio.v2.messages.send attempt 2: 202 after 0.02 s"),
        ("DEBUG", "blooio.v2.messages.send call: 202 after 2.03 s, 2 attempts"),
    ]
    assert PERSON not in log.text and "Hello" not in log.text


def test_a_failed_call_is_no_warning_because_its_error_is_raised(log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InternalServerError):
        send(scripted(Blooio, [BUSY]), max_retries=0)
    assert told(log) == [("DEBUG", "attempt", "503"), ("DEBUG", "call", "service_unavailable")]


def test_at_info_only_what_another_attempt_follows(log: pytest.LogCaptureFixture) -> None:
    log.set_level(logging.INFO, "bloomchats")
    send(scripted(Blooio, [BUSY, SENT]))
    assert told(log) == [("INFO", "attempt", "503")]


def test_an_attempt_is_told_before_the_next_one_begins(log: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []

    def busy(_: Request) -> tuple[int, object]:
        seen.append(len(events(log)))
        return 503, {}

    with Server(busy) as server:
        with Blooio(api_key="k", base_url=server.url) as blooio, pytest.raises(InternalServerError):
            blooio.v2.request("GET", "/x", max_retries=1)
    assert seen == [0, 1]


def test_every_poll_of_a_wait_is_a_call(log: pytest.LogCaptureFixture) -> None:
    status = {"status": 200, "json": {"message_id": "m1", "chat_id": PERSON, "status": "delivered", "direction": "outbound"}}
    scripted(Blooio, [status]).v2.messages.wait(PERSON, "m1")
    assert [event["operation"] for event in events(log)] == ["blooio.v2.messages.get_status"] * 2


def test_the_pages_of_a_list_are_calls(log: pytest.LogCaptureFixture) -> None:
    pages: list[dict[str, Any]] = [
        {"status": 200, "json": {"contacts": [{"contact_id": contact}], "pagination": {"total": 2}}} for contact in "ab"
    ]

    async def main() -> None:
        client = scripted(AsyncBlooio, pages)
        assert len([contact async for contact in client.v2.contacts.list(limit=1)]) == 2

    assert len(list(scripted(Blooio, pages).v2.contacts.list(limit=1))) == 2
    asyncio.run(main())
    assert [event["scope"] for event in events(log)] == ["attempt", "call"] * 4


def test_nothing_is_told_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "bloomchats")
    send(scripted(Blooio, [BUSY, SENT]))
    assert caplog.records == []


@every_loop
def test_a_cancelled_call_tells_of_its_end_before_the_error(
    server: Server, log: pytest.LogCaptureFixture, run: Runner
) -> None:
    async def main() -> None:
        client = AsyncBlooio(api_key="k", base_url=server.url)
        for _ in range(50):
            server.asked.clear()
            task = asyncio.ensure_future(client.v2.request("POST", "/silence", body={}))
            await asyncio.to_thread(server.asked.wait, 5)
            log.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert told(log) == [("DEBUG", "attempt", "cancelled"), ("DEBUG", "call", "cancelled")]
            assert [event["attributes"]["bloomchats.maybe_sent"] for event in events(log)] == [True, True]

    run(main())


def test_a_call_abandoned_with_its_loop_tells_of_its_end(server: Server, log: pytest.LogCaptureFixture) -> None:
    lost: list[Any] = []

    async def start() -> None:
        lost.append(asyncio.ensure_future(AsyncBlooio(api_key="k", base_url=server.url).v2.request("GET", "/silence")))
        await asyncio.to_thread(server.asked.wait, 5)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(start())
    loop.close()
    lost.clear()

    async def next_loop() -> None:
        await scripted(AsyncBlooio, [{"status": 200, "json": {}}]).v2.request("GET", "/x")

    asyncio.run(next_loop())
    gc.collect()
    assert ("DEBUG", "call", "cancelled") in told(log)


def test_a_callable_that_fails_ends_the_story(log: pytest.LogCaptureFixture) -> None:
    def refuse() -> str:
        raise LookupError

    async def main() -> None:
        with pytest.raises(ConfigError):
            await scripted(AsyncBlooio, [], api_key=refuse).v2.request("GET", "/x")

    with pytest.raises(ConfigError):
        scripted(Blooio, [], api_key=refuse).v2.request("GET", "/x")
    asyncio.run(main())
    assert told(log) == [("DEBUG", "call", "cancelled")] * 2


class Broken(logging.Handler):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def emit(self, record: logging.LogRecord) -> None:
        raise self.error


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """Handlers put in here listen."""
    logger, added = logging.getLogger("bloomchats"), cast("list[logging.Handler]", Listening())
    logger.setLevel(logging.DEBUG)
    yield added
    logger.setLevel(logging.NOTSET)
    for handler in added:
        logger.removeHandler(handler)


class Listening(list[logging.Handler]):
    def append(self, handler: logging.Handler, /) -> None:
        super().append(handler)
        logging.getLogger("bloomchats").addHandler(handler)


def test_a_handler_that_raises_harms_no_call(
    handlers: list[logging.Handler], capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        client = scripted(AsyncBlooio, [BUSY, SENT])
        assert (await client.v2.messages.send(PERSON, text="Hello")).message_id == "m1"

    handlers.append(Broken(RuntimeError("disk full")))
    send(scripted(Blooio, [BUSY, SENT]))
    asyncio.run(main())
    assert "disk full" in capsys.readouterr().err


def test_an_interrupt_in_a_handler_passes_through(server: Server, handlers: list[logging.Handler]) -> None:
    handlers.append(Broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt) as caught:
        send(Blooio(api_key="k", base_url=server.url))
    assert cast("Any", caught.value).maybe_sent is True


def test_an_interrupt_in_a_handler_costs_other_calls_of_the_loop_nothing(
    server: Server, handlers: list[logging.Handler]
) -> None:
    """The loop ends with the interrupt; run again, it goes on with the calls it has."""
    loop = asyncio.new_event_loop()
    blooio = AsyncBlooio(api_key="k", base_url=server.url)

    async def calls() -> list[Any]:
        return await asyncio.gather(
            *(blooio.v2.request("GET", f"/{number}") for number in range(8)), return_exceptions=True
        )

    handlers.append(Broken(KeyboardInterrupt()))
    task = loop.create_task(calls())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    logging.getLogger("bloomchats").removeHandler(handlers[0])
    assert len(loop.run_until_complete(asyncio.wait_for(task, 10))) == 8
    loop.close()


def test_a_handler_may_make_calls_of_its_own(server: Server, handlers: list[logging.Handler]) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    asynchronous = AsyncBlooio(api_key="k", base_url=server.url)
    tasks: list[asyncio.Future[Any]] = []

    class Reporting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            blooio.v2.request("GET", "/report")
            if record.threadName == "loop":
                tasks.append(asyncio.ensure_future(asynchronous.v2.request("GET", "/report")))

    async def main() -> None:
        await asynchronous.v2.request("GET", "/x")
        await asyncio.gather(*tasks)

    handlers.append(Reporting())
    blooio.v2.request("GET", "/x")
    assert [request.target for request in server.requests] == ["/v2/api/x", "/v2/api/report", "/v2/api/report"]
    thread = threading.Thread(target=lambda: asyncio.run(main()), name="loop", daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(server.requests) == 3 + 1 + 2 + 2


def test_records_of_a_task_know_its_context(server: Server, handlers: list[logging.Handler]) -> None:
    request = contextvars.ContextVar("request", default="none")
    seen: list[str] = []

    class Seeing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(request.get())

    async def serve(client: AsyncBlooio, name: str) -> None:
        request.set(name)
        await client.v2.request("GET", "/x")

    async def main() -> None:
        client = AsyncBlooio(api_key="k", base_url=server.url)
        await asyncio.gather(*(serve(client, f"r{number}") for number in range(20)))

    handlers.append(Seeing())
    asyncio.run(main())
    assert sorted(seen) == sorted([f"r{number}" for number in range(20)] * 2)


def shape(finished: tuple[ReadableSpan, ...]) -> list[tuple[str, SpanKind, str | None, StatusCode]]:
    """Name, kind, name of the parent, status; in the order they ended."""
    names = {span.context.span_id: span.name for span in finished if span.context is not None}
    parents = [names.get(span.parent.span_id) if span.parent is not None else None for span in finished]
    return [(span.name, span.kind, parent, span.status.status_code) for span, parent in zip(finished, parents)]


EXPECTED = [
    (f"POST {TEMPLATE}", SpanKind.CLIENT, "blooio.v2.messages.send", StatusCode.ERROR),
    (f"POST {TEMPLATE}", SpanKind.CLIENT, "blooio.v2.messages.send", StatusCode.UNSET),
    ("blooio.v2.messages.send", SpanKind.INTERNAL, "order", StatusCode.UNSET),
    ("order", SpanKind.INTERNAL, None, StatusCode.UNSET),
]


def test_spans_of_a_call(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("app").start_as_current_span("order"):
        send(scripted(Blooio, [BUSY, SENT]))
    finished = spans.get_finished_spans()
    assert shape(finished) == EXPECTED
    first, second, call, _ = finished
    second_ns = 1_000_000_000
    start = 1_790_000_000 * second_ns
    assert (first.start_time, first.end_time) == (start, start + second_ns // 100)
    assert (second.start_time, second.end_time) == (start + 201 * second_ns // 100, start + 203 * second_ns // 100)
    assert (call.start_time, call.end_time) == (start, start + 203 * second_ns // 100)
    assert dict(second.attributes or {}) == {
        "bloomchats.operation": "blooio.v2.messages.send",
        "http.request.method": "POST",
        "url.template": TEMPLATE,
        "server.address": "backend.blooio.com",
        "server.port": 443,
        "http.response.status_code": 202,
        "http.request.resend_count": 1,
        "bloomchats.maybe_sent": True,
    }


def test_a_raw_request_has_no_template(spans: InMemorySpanExporter) -> None:
    scripted(Blooio, [{"status": 200, "json": {}}]).v2.request("GET", "/secret/path")
    assert [span.name for span in spans.get_finished_spans()] == ["GET", "blooio.v2.request"]


def test_spans_of_tasks_and_threads_have_the_right_parents(server: Server, spans: InMemorySpanExporter) -> None:
    asynchronous = AsyncBlooio(api_key="k", base_url=server.url)
    synchronous = Blooio(api_key="k", base_url=server.url)
    tracer = trace.get_tracer("app")

    async def one(number: int) -> None:
        with tracer.start_as_current_span(f"task {number}"):
            await asynchronous.v2.request("GET", f"/{number}")

    async def many() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    def another(number: int) -> None:
        with tracer.start_as_current_span(f"thread {number}"):
            synchronous.v2.request("GET", f"/{number}")

    asyncio.run(many())
    threads = [threading.Thread(target=another, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    calls = [parent for name, _, parent, _ in shape(spans.get_finished_spans()) if name == "blooio.v2.request"]
    assert sorted(map(str, calls)) == sorted(f"{where} {number}" for where in ("task", "thread") for number in range(20))
    assert all("traceparent" not in request.headers for request in server.requests)


def test_spans_of_a_cancelled_call(server: Server, spans: InMemorySpanExporter) -> None:
    async def main() -> None:
        client = AsyncBlooio(api_key="k", base_url=server.url)
        with trace.get_tracer("app").start_as_current_span("order"):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.v2.request("POST", "/silence", body={}), 0.5)

    asyncio.run(main())
    attempt, call, _ = spans.get_finished_spans()
    assert [span.status.status_code for span in (attempt, call)] == [StatusCode.ERROR] * 2
    assert (attempt.attributes or {})["error.type"] == "cancelled"
    assert shape(spans.get_finished_spans())[1][2] == "order"


def test_an_exporter_that_makes_calls_is_not_told_of_them(server: Server, spans: InMemorySpanExporter) -> None:
    from opentelemetry import context

    token = context.attach(context.set_value("suppress_instrumentation", True))
    try:
        Blooio(api_key="k", base_url=server.url).v2.request("GET", "/x")
    finally:
        context.detach(token)
    assert spans.get_finished_spans() == ()


def test_a_timeout_while_it_is_watched(server: Server, log: pytest.LogCaptureFixture, spans: InMemorySpanExporter) -> None:
    with pytest.raises(APITimeoutError):
        Blooio(api_key="k", base_url=server.url).v2.request("GET", "/silence", timeout=0.3, max_retries=0)
    assert told(log) == [("DEBUG", "attempt", "timeout"), ("DEBUG", "call", "timeout")]
    assert len(spans.get_finished_spans()) == 2


@pytest.mark.parametrize("setup", ["", "import opentelemetry.trace", "import logging; logging.basicConfig(level='INFO')"])
def test_what_is_imported_is_the_applications_business(setup: str) -> None:
    program = f"""
import sys
{setup}
before = "opentelemetry.sdk" in sys.modules, "opentelemetry.trace" in sys.modules
from bloomchats import Blooio
from bloomchats.testing import scripted
scripted(Blooio, [{BUSY!r}, {SENT!r}]).v2.messages.send({PERSON!r}, text="Hello")
assert ("opentelemetry.sdk" in sys.modules, "opentelemetry.trace" in sys.modules) == before
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines == ([] if "logging" not in setup else [
        "INFO:bloomchats:blooio.v2.messages.send attempt 1: 503 after 0.01 s, again in 2 s, maybe sent (request req_1)"
    ])
