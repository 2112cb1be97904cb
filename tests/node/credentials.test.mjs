import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { inspect } from "node:util";

import { blooio, rejection, sdk, serve, testing } from "./support.mjs";

const { AuthenticationError, Blooio, ConfigError } = sdk;
const OK = { status: 202, json: { message_id: "m1", status: "queued" } };
const UNAUTHORIZED = { status: 401, json: { error: "unauthorized", message: "no" } };
const send = (client, options) => client.v2.messages.send("+1555", { text: "x" }, options);

test("no form of a client shows its key", () => {
  for (const apiKey of ["bl_live_sesame", () => "bl_live_sesame"]) {
    const shown = inspect(new Blooio({ apiKey: typeof apiKey === "function" ? () => apiKey() : apiKey }), { depth: 9, showHidden: true, getters: true });
    assert.doesNotMatch(shown, /sesame/);
  }
});

test("a function supplies the key, at once or later", async (t) => {
  const server = await serve(t, () => OK);
  await send(blooio(server, { apiKey: () => "k1" }));
  await send(blooio(server, { apiKey: async () => (await new Promise((resolve) => setTimeout(resolve, 20)), "k2") }));
  assert.deepEqual(server.requests.map(({ headers }) => headers.authorization), ["Bearer k1", "Bearer k2"]);
});

test("a 401 asks once more, and the same bytes go out with the same key", async () => {
  let asked = 0;
  const client = testing.scripted(Blooio, { exchanges: [UNAUTHORIZED, OK] }, { apiKey: async () => `k${++asked}` });
  const { attempts } = await send(client).withResponse();
  const [first, second] = client.requests;
  assert.deepEqual([first.headers.authorization, second.headers.authorization], ["Bearer k1", "Bearer k2"]);
  assert.equal(first.headers["idempotency-key"], second.headers["idempotency-key"]);
  assert.equal(first.body, second.body);
  assert.equal(attempts, 1);
  const stubborn = testing.scripted(Blooio, { exchanges: [UNAUTHORIZED] }, { apiKey: () => "same" });
  assert.ok((await rejection(send(stubborn))) instanceof AuthenticationError);
});

test("a provider that fails is a ConfigError with its cause", async () => {
  const thrown = new Error("vault is sealed");
  const cases = [() => { throw thrown; }, async () => { throw thrown; }, () => Promise.reject(thrown)];
  for (const apiKey of cases) {
    const error = await rejection(send(testing.scripted(Blooio, { exchanges: [] }, { apiKey })));
    assert.ok(error instanceof ConfigError);
    assert.equal(error.cause, thrown);
    assert.equal(error.maybeSent, false);
  }
  for (const odd of ["sealed", null, 5, { kind: "rate_limit", message: "sealed" }]) {
    const error = await rejection(send(testing.scripted(Blooio, { exchanges: [] }, { apiKey: () => { throw odd; } })));
    assert.ok(error instanceof ConfigError);
    assert.equal(error.cause, odd);
  }
  for (const key of [undefined, null, 5, {}]) {
    const error = await rejection(send(testing.scripted(Blooio, { exchanges: [] }, { apiKey: () => key })));
    assert.ok(error instanceof ConfigError && error.cause instanceof TypeError, String(key));
  }
  for (const key of ["", "sesame seed", "sesame\n"]) {
    const error = await rejection(send(testing.scripted(Blooio, { exchanges: [] }, { apiKey: () => key })));
    assert.ok(error instanceof ConfigError);
    assert.doesNotMatch(error.message, /sesame/);
  }
});

test("a provider that never answers meets the call's timeout and its signal", async (t) => {
  const server = await serve(t, () => OK);
  const client = blooio(server, { apiKey: () => new Promise(() => {}) });
  assert.ok((await rejection(send(client, { timeout: 100 }))) instanceof sdk.APITimeoutError);
  assert.equal((await rejection(send(client, { signal: AbortSignal.timeout(50) }))).name, "AbortError");
  assert.equal(server.requests.length, 0);
});

test("a provider may make calls of its own, and runs in the context of its call, not in that of the client's beginning", async (t) => {
  let refused = 0;
  const server = await serve(t, ({ url }) => (url.endsWith("/me") ? { json: { email: "k3" } } : refused++ === 0 ? UNAUTHORIZED : OK));
  const storage = new AsyncLocalStorage();
  const inner = blooio(server);
  let asked = 0;
  const client = storage.run("alice", () => blooio(server, { apiKey: async () => `${(await inner.v2.me.get()).email}-${storage.getStore()}-${++asked}` }));
  await storage.run("bob", () => send(client));
  await Promise.all([storage.run("carol", () => send(client)), storage.run("dave", () => client.v2.groups.setIcon("grp_1", new Blob(["x"])))]);
  const keys = server.requests.filter(({ url }) => !url.endsWith("/me")).map(({ headers }) => headers.authorization.split("-")[1]);
  assert.deepEqual([keys.slice(0, 2), keys.slice(2).sort()], [["bob", "bob"], ["carol", "dave"]]);
});

test("every page of a list asks in the context of its loop", async () => {
  const page = (offset) => ({ status: 200, json: { chats: [{ id: "c" }], pagination: { limit: 1, offset, total: 2 } } });
  const storage = new AsyncLocalStorage();
  const client = storage.run("alice", () => testing.scripted(Blooio, { exchanges: [page(0), page(1)] }, { apiKey: () => storage.getStore() }));
  const list = client.v2.chats.list({ limit: 1 });
  assert.equal((await storage.run("bob", () => list.all())).length, 2);
  assert.deepEqual(client.requests.map(({ headers }) => headers.authorization), ["Bearer bob", "Bearer bob"]);
});
