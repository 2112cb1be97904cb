/**
 * Calls as OpenTelemetry spans, where the application has set a tracer up.
 *
 * Nothing is imported: all copies of `@opentelemetry/api` 1.x in a process, bundled or installed, share one registration
 * under a symbol. Taking the tracer from there works with every module format, and where a bundle has no such package.
 */

import type { Context, ContextManager, HrTime, Span, SpanKind, SpanStatusCode, TracerProvider } from "@opentelemetry/api";

import type { CallEvent, Observer } from "./observe";
import { version } from "./version";

type Registration = { trace?: TracerProvider; context?: ContextManager } | undefined;

const REGISTRATION = Symbol.for("opentelemetry.js.api.1");
/** Where a context holds its span. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");
const INTERNAL: SpanKind.INTERNAL = 0;
const CLIENT: SpanKind.CLIENT = 2;
const ERROR: SpanStatusCode.ERROR = 2;

/**
 * Makes the spans of one call below the span that is active now. Events tell of what is over, a call's own of it last:
 * then its spans are made, with the times they had.
 */
export function spans(): Observer | undefined {
  const { trace, context } = (globalThis as { [REGISTRATION]?: Registration })[REGISTRATION] ?? {};
  if (trace === undefined) return undefined;
  const around = context?.active() ?? contextOf();
  const attempts: CallEvent[] = [];
  return (event) => {
    if (event.scope === "attempt") return void attempts.push(event);
    const tracer = trace.getTracer("@bloomchats/sdk", version);
    const make = (event: CallEvent, name: string, kind: SpanKind, parent: Context): Span => {
      const { startedMs, attributes } = event;
      const span = tracer.startSpan(name, { kind, startTime: hrTime(startedMs), attributes }, parent);
      return "error.type" in attributes ? span.setStatus({ code: ERROR }) : span;
    };
    const end = (span: Span, { startedMs, durationMs }: CallEvent): void => span.end(hrTime(startedMs + durationMs));
    const call = make(event, event.operation, INTERNAL, around);
    for (const attempt of attempts.splice(0)) {
      const { "http.request.method": method, "url.template": path } = attempt.attributes;
      end(make(attempt, [method, path].filter(Boolean).join(" "), CLIENT, around.setValue(SPAN, call)), attempt);
    }
    end(call, event);
  };
}

/** A plain number would be ambiguous: small ones count from the start of the process. */
function hrTime(ms: number): HrTime {
  return [Math.trunc(ms / 1000), Math.round((ms % 1000) * 1e6)];
}

/** A context, for applications that have no manager of them. */
function contextOf(values = new Map<symbol, unknown>()): Context {
  return {
    getValue: (key) => values.get(key),
    setValue: (key, value) => contextOf(new Map(values).set(key, value)),
    deleteValue: (key) => contextOf(new Map([...values].filter(([other]) => other !== key))),
  };
}
