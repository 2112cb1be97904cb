// Calls as spans of the application's own OpenTelemetry. The package has none of it among its dependencies.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { afterEach, beforeEach, test } from "node:test";

import { rejection, sdk, testing } from "./support.mjs";

const require = createRequire(new URL("../../bindings-node/package.json", import.meta.url));
const { SpanKind, SpanStatusCode, context, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");

const OK = { status: 202, json: { message_id: "m1", status: "queued" }, delay_ms: 20 };
const BUSY = { status: 503, headers: { "retry-after": "2" }, delay_ms: 10 };
const NOW = 1_790_000_000_000;
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = trace.getTracer("application");
const send = (exchanges, options, call) => testing.scripted(sdk.Blooio, { exchanges }, options).v2.messages.send("+15551234567", { text: "Hello" }, call);
const ms = ([seconds, nanoseconds]) => seconds * 1e3 + nanoseconds / 1e6;

beforeEach(() => trace.setGlobalTracerProvider(provider));
afterEach(() => (exporter.reset(), trace.disable(), context.disable()));

test("a call is a span below the active one, its attempts are spans below that", async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const parent = tracer.startSpan("parent");
  await context.with(trace.setSpan(context.active(), parent), () => Promise.all([send([BUSY, OK]), send([OK])]));
  const spans = exporter.getFinishedSpans();
  const [first] = spans.filter(({ attributes }) => attributes["bloomchats.attempts"] === 2);
  assert.equal(first.name, "blooio.v2.messages.send");
  assert.equal(first.kind, SpanKind.INTERNAL);
  assert.equal(first.parentSpanContext.spanId, parent.spanContext().spanId);
  assert.deepEqual([ms(first.startTime), ms(first.endTime)], [NOW, NOW + 2030]);
  assert.equal(first.status.code, SpanStatusCode.UNSET);
  assert.match(first.instrumentationScope.name, /^@bloomchats\/sdk$/);
  const attempts = spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === first.spanContext().spanId);
  assert.deepEqual(attempts.map(({ kind, name, startTime, endTime, status, attributes }) => [kind, name, ms(startTime), ms(endTime), status.code, attributes["http.response.status_code"]]), [
    [SpanKind.CLIENT, "POST /v2/api/chats/{chat}/messages", NOW, NOW + 10, SpanStatusCode.ERROR, 503],
    [SpanKind.CLIENT, "POST /v2/api/chats/{chat}/messages", NOW + 2010, NOW + 2030, SpanStatusCode.UNSET, 202],
  ]);
  assert.equal(attempts[1].attributes["http.request.resend_count"], 1);
  assert.equal(spans.length, 5);
  assert.equal(new Set(spans.map((span) => span.spanContext().traceId)).size, 1);
});

test("no trace header goes to the service", async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const client = testing.scripted(sdk.Blooio, { exchanges: [OK] });
  await tracer.startActiveSpan("parent", () => client.v2.messages.send("+15551234567", { text: "Hello" }));
  assert.deepEqual(Object.keys(client.requests[0].headers).filter((name) => /trace|baggage|b3/.test(name)), []);
});

test("without a context manager a call begins a trace of its own", async () => {
  await send([OK]);
  const [attempt, call] = exporter.getFinishedSpans();
  assert.equal(attempt.parentSpanContext.spanId, call.spanContext().spanId);
  assert.equal(call.parentSpanContext, undefined);
});

test("failed and aborted calls are spans with an error", async () => {
  await rejection(send([{ status: 404, json: { error: "not_found" } }]));
  const controller = new AbortController();
  await rejection(send([{ fault: "timeout" }], { apiKey: () => (controller.abort(), new Promise(() => {})) }, { signal: controller.signal }));
  const told = exporter.getFinishedSpans().map(({ name, status, attributes }) => [name, status.code, attributes["error.type"]]);
  assert.deepEqual(told, [
    ["POST /v2/api/chats/{chat}/messages", SpanStatusCode.ERROR, "404"],
    ["blooio.v2.messages.send", SpanStatusCode.ERROR, "not_found"],
    ["blooio.v2.messages.send", SpanStatusCode.ERROR, "cancelled"],
  ]);
});

test("observer and spans stand beside each other, and a tracer that fails disturbs neither", async (t) => {
  const warnings = [];
  const warn = ({ code }) => warnings.push(code);
  process.on("warning", warn);
  t.after(() => process.off("warning", warn));
  const events = [];
  const observer = ({ scope }) => events.push(scope);
  await send([OK], { observer });
  assert.equal(exporter.getFinishedSpans().length, 2);
  trace.disable();
  trace.setGlobalTracerProvider({ getTracer: () => { throw new Error("no tracer"); } });
  assert.equal((await send([OK], { observer })).message_id, "m1");
  context.setGlobalContextManager({ active: () => { throw new Error("no context"); }, disable() {} });
  assert.equal((await send([OK], { observer })).message_id, "m1");
  assert.deepEqual(events, Array(3).fill(["attempt", "call"]).flat());
  await new Promise(setImmediate);
  assert.deepEqual(warnings, ["BLOOMCHATS_OBSERVER", "BLOOMCHATS_OBSERVER"]);
});

test("a registration that comes after the client is seen, one that is gone leaves no trace", async () => {
  trace.disable();
  const client = testing.scripted(sdk.Blooio, { exchanges: [OK, OK] });
  await client.v2.messages.send("+15551234567", { text: "Hello" });
  assert.equal(exporter.getFinishedSpans().length, 0);
  trace.setGlobalTracerProvider(provider);
  await client.v2.messages.send("+15551234567", { text: "Hello" });
  assert.equal(exporter.getFinishedSpans().length, 2);
});
