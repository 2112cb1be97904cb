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

test("a provider may make calls of its own, and runs where the client was made", async (t) => {
  const server = await serve(t, ({ url }) => (url.endsWith("/me") ? { json: { email: "k3" } } : OK));
  const storage = new AsyncLocalStorage();
  const inner = blooio(server);
  const client = storage.run("here", () => blooio(server, {
    apiKey: async () => `${(await inner.v2.me.get()).email ?? "k3"}-${storage.getStore()}`,
  }));
  await Promise.all([send(client), send(client)]);
  assert.deepEqual(server.requests.filter(({ method }) => method === "POST").map(({ headers }) => headers.authorization), ["Bearer k3-here", "Bearer k3-here"]);
});
