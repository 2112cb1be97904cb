// What a call tells those who watch it, and that watching harms nothing. What events hold is for the corpus.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";

import { blooio, rejection, run, sdk, serve, testing } from "./support.mjs";

const OK = { status: 202, json: { message_id: "m1", status: "queued" } };
const BUSY = { status: 503, json: { error: "busy" } };
const CHAT = "+15551234567";
const send = (client, options) => client.v2.messages.send(CHAT, { text: "sesame" }, options);
const told = ({ scope, attributes }) => [scope, attributes["error.type"] ?? "ok"];

test("events come in order, before the promise, in the async context of their call", async (t) => {
  const server = await serve(t, (_, number) => (number === 1 ? { ...BUSY, headers: { "retry-after": "0" } } : OK));
  const storage = new AsyncLocalStorage();
  const seen = [];
  const client = storage.run("client", () => blooio(server, { observer: (event) => seen.push([storage.getStore(), ...told(event)]) }));
  const after = await storage.run("call", async () => (await send(client), seen.push("settled"), storage.getStore()));
  assert.deepEqual(seen, [["call", "attempt", "503"], ["call", "attempt", "ok"], ["call", "call", "ok"], "settled"]);
  assert.equal(after, "call");
});

test("events hold nothing of what is sent, and to whom", async () => {
  const seen = [];
  const client = testing.scripted(sdk.Blooio, { exchanges: [OK] }, { apiKey: "bl_test_key", observer: (event) => seen.push(event) });
  await send(client, { idempotencyKey: "mine", headers: { "x-own": "own" } });
  assert.equal(seen.length, 2);
  assert.doesNotMatch(JSON.stringify(seen), /1555|sesame|bl_test|mine|own/);
});

test("a list tells of every page, a wait of every poll", async () => {
  const page = (id, has_more) => ({ status: 200, json: { data: [{ id }], has_more, next_cursor: has_more ? id : null } });
  const seen = [];
  const observer = ({ scope, operation }) => scope === "call" && seen.push(operation);
  await testing.scripted(sdk.Blooio, { exchanges: [page("a", true), page("b", false)] }, { observer }).v4.chats.list().all();
  const status = (status) => ({ status: 200, json: { message_id: "m1", status } });
  await testing.scripted(sdk.Blooio, { exchanges: [status("sent"), status("delivered")] }, { observer }).v2.messages.wait(CHAT, "m1");
  assert.deepEqual(seen, ["blooio.v4.chats.list", "blooio.v4.chats.list", "blooio.v2.messages.get_status", "blooio.v2.messages.get_status"]);
});

test("an aborted call tells that it was cancelled, before it rejects", async (t) => {
  const server = await serve(t, () => undefined);
  const controller = new AbortController();
  const seen = [];
  const client = blooio(server, { observer: (event) => seen.push([...told(event), event.attributes["bloomchats.maybe_sent"]]) });
  const call = rejection(send(client, { signal: controller.signal })).then((error) => (seen.push("rejected"), error));
  await server.requested;
  controller.abort();
  assert.equal((await call).maybeSent, true);
  assert.deepEqual(seen, [["attempt", "cancelled", true], ["call", "cancelled", true], "rejected"]);
});

test("an abort is the last thing a process does, and its events are still told", async () => {
  const { code, output } = await run(`
    const { Blooio } = await import(process.env.DIST + "index.mjs");
    const { createServer } = await import("node:net");
    const controller = new AbortController();
    const server = createServer((socket) => socket.once("data", () => (server.close(), socket.unref(), controller.abort())));
    server.listen(0, "127.0.0.1", () => {
      const observer = ({ scope, attributes }) => console.log(scope, attributes["error.type"]);
      const client = new Blooio({ apiKey: "k", baseUrl: "http://127.0.0.1:" + server.address().port, observer });
      client.v2.messages.send("+1", { text: "x" }, { signal: controller.signal }).catch(() => {});
    });
  `);
  assert.equal(code, 0, output);
  assert.equal(output, "attempt cancelled\ncall cancelled\n");
});

test("an observer may end calls, its own and others, and make new ones", async (t) => {
  const server = await serve(t, ({ url }) => (url.endsWith("/me") ? { ...BUSY, headers: { "retry-after": "30" } } : undefined));
  const [own, other] = [new AbortController(), new AbortController()];
  const seen = [];
  const again = [];
  const client = blooio(server, {
    observer: (event) => {
      seen.push([event.operation.split(".").pop(), ...told(event)]);
      if (seen.length > 1) return;
      own.abort();
      other.abort();
      again.push(testing.scripted(sdk.Blooio, { exchanges: [OK] }, { observer: () => seen.push("inner") }).v2.messages.send(CHAT, { text: "x" }));
    },
  });
  const calls = [rejection(send(client, { signal: other.signal })), server.requested.then(() => rejection(client.v2.me.get({ signal: own.signal })))];
  for (const error of await Promise.all(calls)) assert.equal(error.name, "AbortError");
  assert.equal((await again[0]).message_id, "m1");
  assert.deepEqual(seen.filter(([name]) => name === "get"), [["get", "attempt", "503"], ["get", "call", "cancelled"]]);
  assert.deepEqual(seen.filter(([name]) => name === "send"), [["send", "attempt", "cancelled"], ["send", "call", "cancelled"]]);
  assert.equal(seen.filter((name) => name === "inner").length, 2);
});

test("an observer that fails, in whatever way, is one warning a client and disturbs no call", async () => {
  const { code, output } = await run(`
    const { Blooio } = await import(process.env.DIST + "index.mjs");
    const { scripted } = await import(process.env.DIST + "testing.mjs");
    process.on("uncaughtException", (error) => console.log("uncaught", error));
    process.on("unhandledRejection", (error) => console.log("unhandled", error));
    const exchange = { status: 202, json: { message_id: "m1", status: "queued" } };
    const boom = () => { throw new Error("boom"); };
    for (const observer of [boom, async () => boom(), () => { throw null; }, () => Promise.reject(), () => ({ then: boom })]) {
      const client = scripted(Blooio, { exchanges: [exchange, exchange] }, { observer });
      for (let i = 0; i < 2; i++) console.log((await client.v2.messages.send("+1", { text: "x" })).message_id);
    }
  `);
  assert.equal(code, 0, output);
  assert.equal(output.match(/\[BLOOMCHATS_OBSERVER\] BloomChatsWarning: A client's observer failed/g)?.length, 5, output);
  assert.equal(output.match(/^m1$/gm).length, 10);
  assert.doesNotMatch(output, /uncaught|unhandled/);
});

test("what is no function is no observer", () => {
  for (const observer of [{}, "log", null, 5]) assert.throws(() => new sdk.Blooio({ apiKey: "k", observer }), sdk.ConfigError);
});
