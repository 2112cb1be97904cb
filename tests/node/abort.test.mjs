import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { blooio, rejection, sdk, serve } from "./support.mjs";

const never = () => undefined;
const OK = { status: 202, json: { message_id: "m1", status: "queued" } };

function isAbort(error, reason) {
  assert.equal(error.name, "AbortError");
  assert.ok(error instanceof sdk.AbortError && error instanceof Error);
  assert.equal(error.cause, reason);
  assert.equal(error.code, "ABORT_ERR");
}

test("before: nothing is sent", async (t) => {
  const server = await serve(t, never);
  const reason = new Error("changed my mind");
  const error = await rejection(blooio(server).v2.messages.send("+1555", { text: "x" }, { signal: AbortSignal.abort(reason), idempotencyKey: "mine" }));
  isAbort(error, reason);
  assert.equal(error.maybeSent, false);
  assert.equal(error.attempts, 0);
  assert.equal(error.idempotencyKey, "mine");
  assert.equal(server.requests.length, 0);
});

test("in the same tick as the call: nothing is left behind", async (t) => {
  const server = await serve(t, never);
  const controller = new AbortController();
  const call = blooio(server).v2.messages.send("+1555", { text: "x" }, { signal: controller.signal });
  controller.abort("now");
  isAbort(await rejection(call), "now");
});

test("in the same tick as the call, beside another: it has not left", async (t) => {
  const server = await serve(t, () => ({ ...OK, headers: { connection: "keep-alive" } }));
  const { messages } = blooio(server).v2;
  const send = (options) => messages.send("+1555", { text: "x" }, options);
  // Two connections at rest.
  await Promise.all([send(), send()]);
  const controller = new AbortController();
  const [other, call] = [send(), send({ signal: controller.signal })];
  controller.abort();
  const error = await rejection(call);
  assert.equal(error.maybeSent, false);
  assert.equal(error.idempotencyKey.length, 36);
  await other;
  assert.equal(server.requests.length, 3);
});

test("during: the server sees the socket close, and the error says what may have happened", async (t) => {
  const server = await serve(t, never);
  const controller = new AbortController();
  const call = blooio(server).v2.messages.send("+1555", { text: "x" }, { signal: controller.signal });
  await server.requested;
  controller.abort();
  const error = await rejection(call);
  isAbort(error, controller.signal.reason);
  assert.equal(error.maybeSent, true);
  assert.equal(error.attempts, 1);
  assert.equal(error.idempotencyKey, server.requests[0].headers["idempotency-key"]);
  await server.hungUp;
  assert.equal(server.closed.length, 1);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
});

test("a read that is aborted was never a send", async (t) => {
  const server = await serve(t, never);
  const controller = new AbortController();
  const call = blooio(server).v2.chats.get("+1555", { signal: controller.signal });
  await server.requested;
  controller.abort();
  assert.equal((await rejection(call)).maybeSent, false);
});

test("during a retry's wait: no further attempt is made", async (t) => {
  const server = await serve(t, () => ({ status: 503, headers: { "retry-after": "30" }, json: { error: "busy" } }));
  const controller = new AbortController();
  const observer = ({ retryInMs }) => retryInMs === 30_000 && controller.abort();
  const start = performance.now();
  const call = blooio(server, { observer }).v2.messages.send("+1555", { text: "x" }, { signal: controller.signal });
  const error = await rejection(call);
  assert.ok(performance.now() - start < 5000);
  assert.equal(error.maybeSent, true);
  assert.equal(server.requests.length, 1);
});

test("after: nothing happens, and the signal is let go", async (t) => {
  const server = await serve(t, () => OK);
  const controller = new AbortController();
  const call = blooio(server).v2.messages.send("+1555", { text: "x" }, { signal: controller.signal });
  await call;
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  controller.abort();
  assert.equal((await call).message_id, "m1");
});

test("an abort that comes after the answer, before the event loop has it, keeps the answer", async (t) => {
  const server = await serve(t, () => OK);
  // A server of another thread would answer while this one is blocked; here a scripted client does.
  const { scripted } = (await import("./support.mjs")).testing;
  const client = scripted(sdk.Blooio, { exchanges: [OK] });
  const controller = new AbortController();
  const call = client.v2.messages.send("+1555", { text: "x" }, { signal: controller.signal });
  await Promise.resolve();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  controller.abort();
  assert.equal((await call).message_id, "m1");
  assert.equal(server.requests.length, 0);
});

test("AbortSignal.timeout gives its reason as the cause", async (t) => {
  const server = await serve(t, never);
  const error = await rejection(blooio(server).v2.messages.send("+1555", { text: "x" }, { signal: AbortSignal.timeout(50) }));
  assert.equal(error.name, "AbortError");
  assert.equal(error.cause.name, "TimeoutError");
});

test("a list stops with its signal", async (t) => {
  const controller = new AbortController();
  const server = await serve(t, (_, number) => {
    if (number === 1) return { json: { chats: [{ id: "c1" }], pagination: { limit: 1, offset: 0, total: 9 } } };
    controller.abort();
  });
  const seen = [];
  const error = await rejection((async () => {
    for await (const chat of blooio(server).v2.chats.list({ limit: 1 }, { signal: controller.signal })) {
      seen.push(chat.id);
    }
  })());
  assert.equal(error.name, "AbortError");
  assert.deepEqual(seen, ["c1"]);
  await server.hungUp;
});

test("one signal for many calls ends them all, without a warning of listeners", async (t) => {
  const warnings = [];
  const warn = (warning) => warnings.push(warning.name);
  process.on("warning", warn);
  t.after(() => process.off("warning", warn));
  const server = await serve(t, (_, number) => number <= 10 && OK);
  const client = blooio(server);
  const controller = new AbortController();
  const { signal } = controller;
  for (let i = 0; i < 10; i++) await client.v2.messages.send("+1555", { text: "x" }, { signal });
  assert.equal(getEventListeners(signal, "abort").length, 0);
  const calls = Array.from({ length: 30 }, () => rejection(client.v2.messages.send("+1555", { text: "x" }, { signal })));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(getEventListeners(signal, "abort").length, 1);
  controller.abort();
  for (const error of await Promise.all(calls)) isAbort(error, signal.reason);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  assert.deepEqual(warnings, []);
});

test("what is no signal is refused", async (t) => {
  const server = await serve(t, never);
  const error = await rejection(blooio(server).v2.me.get({ signal: "no" }));
  assert.ok(error instanceof sdk.InvalidArgumentError);
  assert.equal(error.argument, "signal");
});

test("a thousand aborts leave nothing under way", async (t) => {
  const server = await serve(t, never);
  const client = blooio(server);
  for (let round = 0; round < 10; round++) {
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const calls = controllers.map(({ signal }) => rejection(client.v2.me.get({ signal })));
    await new Promise((resolve) => setTimeout(resolve, round * 3));
    for (const controller of controllers) controller.abort();
    for (const error of await Promise.all(calls)) assert.equal(error.name, "AbortError");
  }
});
