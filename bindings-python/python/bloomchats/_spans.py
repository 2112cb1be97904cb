"""Calls as OpenTelemetry spans, where the application traces. Nothing is imported: it has done so, or nobody looks."""

from __future__ import annotations

import sys

from bloomchats._native import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def watch() -> Callable[[dict[str, Any]], None] | None:
    """Makes the spans of one call below the span that is current now.

    Events tell of what is over, a call's own of it last: then its spans are made, with the times they had.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    context: Any = sys.modules.get("opentelemetry.context")
    if trace is None or context is None:
        return None
    try:
        provider = trace.get_tracer_provider()
        around = context.get_current()
        # An exporter's own calls, and libraries that import the API of which nobody has set anything up.
        if context.get_value("suppress_instrumentation", around) or isinstance(
            provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)
        ):
            return None
    except Exception:
        # Another thread is in the middle of importing it, or its settings are broken: not a reason for a call to fail.
        return None
    attempts: list[dict[str, Any]] = []

    def tell(event: dict[str, Any]) -> None:
        if event["scope"] == "attempt":
            attempts.append(event)
            return
        tracer = provider.get_tracer("bloomchats", VERSION)

        def make(event: dict[str, Any], name: str, kind: Any, parent: Any) -> Any:
            facts = event["attributes"]
            span = tracer.start_span(name, parent, kind, facts, start_time=_ns(event["started_ms"]))
            if "error.type" in facts:
                span.set_status(trace.StatusCode.ERROR)
            return span

        call = make(event, event["operation"], trace.SpanKind.INTERNAL, around)
        below = trace.set_span_in_context(call, around)
        for attempt in attempts:
            facts = attempt["attributes"]
            name = " ".join(filter(None, (facts["http.request.method"], facts.get("url.template"))))
            make(attempt, name, trace.SpanKind.CLIENT, below).end(_end(attempt))
        attempts.clear()
        call.end(_end(event))

    return tell


def _end(event: dict[str, Any]) -> int:
    return _ns(event["started_ms"] + event["duration_ms"])


def _ns(ms: float) -> int:
    # In two steps, because epoch nanoseconds are beyond what a float holds.
    return int(ms) * 1_000_000 + round(ms % 1 * 1_000_000)
