import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";

import { blooio, dist, rejection, sdk, serve, testing } from "./support.mjs";

const { APIConnectionError, APIError, Blooio, BloomChats, BloomChatsError, ConfigError, InvalidArgumentError, NotFoundError } = sdk;
const OK = { status: 202, json: { message_id: "m1", status: "queued" } };

test("a message leaves over a real socket", async (t) => {
  const server = await serve(t, () => OK);
  const call = blooio(server).v2.messages.send("+15551234567", { text: "Hello" });
  assert.ok(call instanceof Promise);
  assert.deepEqual(await call, { message_id: "m1", message_ids: ["m1"], status: "queued" });
  const [{ method, url, headers, body }] = server.requests;
  assert.deepEqual([method, url, body], ["POST", "/v2/api/chats/%2B15551234567/messages", '{"text":"Hello"}']);
  assert.equal(headers.authorization, "Bearer bl_test_key");
  assert.match(headers["user-agent"], /^bloomchats-node\/\d/);

  const response = await blooio(server).v2.messages.send("+15551234567", { text: "Hello" }, { idempotencyKey: "mine" }).withResponse();
  assert.equal(response.status, 202);
  assert.equal(response.attempts, 1);
  assert.equal(response.idempotencyKey, "mine");
  assert.equal(response.model, "SendMessageResponse");
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(JSON.parse(response.json).message_id, "m1");
});

test("arguments: undefined is left out, null is null, models keep the names of the wire", async () => {
  const client = testing.scripted(Blooio, { exchanges: [OK, OK] });
  await client.v2.messages.send("+1555", { text: "x", replyTo: { message_id: "m0", part: undefined }, effect: undefined });
  await client.v2.messages.send("+1555", { text: "x", effect: null }, { timeout: undefined, headers: undefined });
  assert.deepEqual(client.requests.map(({ body }) => body), ['{"text":"x","reply_to":{"message_id":"m0"}}', '{"text":"x","effect":null}']);
});

test("what JSON would change without a word is refused with its path, and nothing is sent", async () => {
  const cycle = {};
  cycle.self = cycle;
  const cases = [
    [{ text: "x", extra: NaN }, "extra", /NaN is not a number/],
    [{ text: "x", list: [1, Infinity] }, "list[1]", /Infinity/],
    [{ text: "x", list: [undefined] }, "list[0]", /undefined/],
    [{ text: "x", at: new Date(0) }, "at", /whole milliseconds/],
    [{ text: () => "x" }, "text", /function is not data/],
    [{ text: "x", map: new Map([["a", 1]]) }, "map", /Map is not data/],
    [{ text: "x", map: runInNewContext("new Map()") }, "map", /Map is not data/],
    [{ text: "x", set: { of: new Set([1]) } }, "set.of", /Set is not data/],
    [{ text: "x", form: new FormData() }, "form", /FormData is not data/],
    [{ text: new String("x") }, "text", /String is not data/],
    [{ text: "x", count: new Number(5) }, "count", /Number is not data/],
    [{ text: "x", pattern: /x/ }, "pattern", /RegExp is not data/],
    [{ text: "x", failure: new Error("x") }, "failure", /Error is not data/],
    [{ text: "x", at: runInNewContext("new Date(0)") }, "at", /whole milliseconds/],
    [{ text: "x", later: Promise.resolve() }, "later", /Promise is not data/],
    [{ text: "x", stream: new Blob(["x"]).stream() }, "stream", /ReadableStream is not data/],
    [{ text: "x", headers: new Headers() }, "headers", /Headers is not data/],
    [{ text: "x", bytes: new Uint8Array(1) }, "bytes", /only accepted as a file/],
    [{ text: "\ud83d" }, "text", /lone surrogate/],
    [{ text: 5 }, "text", /expected/],
    [{ text: "x", cycle }, "cycle", /^cycle: is nested too deeply, or holds itself$/],
    [{ text: "x", big: 2n ** 70n }, /./, /64 bits|unknown|no such/],
  ];
  for (const [params, argument, message] of cases) {
    const client = testing.scripted(Blooio, { exchanges: [] });
    const error = await rejection(client.v2.messages.send("+1555", params));
    assert.ok(error instanceof InvalidArgumentError, inspect(params));
    assert.match(error.message, message);
    if (typeof argument === "string") assert.equal(error.argument, argument);
    else assert.match(error.argument, argument);
    assert.deepEqual(client.requests, []);
  }
});

test("arguments and options in the wrong place are refused by name", async () => {
  const { messages } = testing.scripted(Blooio, { exchanges: [] }).v2;
  const cases = [
    [() => messages.send("+1555", "Hello"), "params"],
    [() => messages.send("+1555", ["Hello"]), "params"],
    [() => messages.send("+1555", new Map([["text", "x"]])), "params"],
    [() => messages.send("+1555", null), "params"],
    [() => messages.send("+1555", { text: "x" }, "key"), "options"],
    [() => messages.send("+1555", { text: "x" }, new Headers()), "options"],
    [() => messages.send("+1555", { text: "x" }, { retries: 2 }), "retries"],
    [() => messages.send("+1555", { text: "x" }, { timeOut: 2 }), "timeOut"],
    [() => messages.send("+1555", { text: "x" }, { time_out: 2 }), "time_out"],
    [() => messages.send("+1555", { text: "x" }, { max_retries: 2 }), "max_retries"],
    [() => messages.send("+1555", { text: "x" }, { timeout_ms: 2 }), "timeout_ms"],
    [() => messages.send("+1555", { text: "x" }, { connectTimeout: 2 }), "connectTimeout"],
    [() => messages.send("+1555", { text: "x" }, { timeout: "5s" }), "timeout"],
    [() => messages.send("+1555", { text: "x" }, { timeout: -5.5 }), "timeout"],
    [() => messages.send("+1555", { text: "x" }, { attemptTimeout: NaN }), "attemptTimeout"],
    [() => messages.send("+1555", { text: "x" }, { attemptTimeout: 0 }), "attemptTimeout"],
    [() => messages.send("+1555", { text: "x" }, { maxRetries: 11 }), "maxRetries"],
    [() => messages.send("+1555", { text: "x" }, { idempotencyKey: "" }), "idempotencyKey"],
    [() => messages.send("+1555", { text: "x" }, { extraBody: 5 }), "extraBody"],
    [() => messages.send("+1555", { text: "x" }, { extraBody: { a_b: new Set() } }), "extraBody.a_b"],
    [() => messages.send("+1555", { text: "x" }, { query: new URLSearchParams("a=1") }), "query"],
    [() => messages.send("+1555", { text: "x" }, { headers: new Map([["a", "1"]]) }), "headers"],
    [() => messages.send("+1555", { txt: "x" }), "txt"],
    [() => messages.send(undefined, { text: "x" }), "chat"],
    [() => messages.send({}, { text: "x" }), "chat"],
    [() => messages.send("+1555", { text: "x", chat: "+1666" }), "chat"],
    [() => messages.send("+1555", { text: "x", replyTo: { message_id: "m0" }, reply_to: { message_id: "m1" } }), "reply_to"],
    [() => messages.send("+1555", JSON.parse('{ "text": "x", "__proto__": { "effect": "slam" } }')), "__proto__"],
    [() => messages.send("+1555", { text: "x", constructor: 5 }), "constructor"],
    [() => messages.send("+1555", { text: "x" }, JSON.parse('{ "__proto__": { "timeout": 1 } }')), "__proto__"],
  ];
  for (const [call, argument] of cases) {
    const error = await rejection(call());
    assert.ok(error instanceof InvalidArgumentError, inspect(error));
    assert.equal(error.argument, argument);
    assert.ok(error.message.startsWith(`${argument}: `), error.message);
  }
});

test("an option among the arguments is told where it belongs", async () => {
  const { messages } = testing.scripted(Blooio, { exchanges: [] }).v2;
  const given = { signal: new AbortController().signal, timeout: 5000, attemptTimeout: 5, maxRetries: 1, idempotencyKey: "k", headers: {}, query: {}, extraBody: {} };
  for (const [name, value] of Object.entries(given)) {
    for (const call of [() => messages.send("+1555", { text: "x", [name]: value }), () => messages.wait("+1555", "m1", { [name]: value })]) {
      const error = await rejection(call());
      assert.equal(error.message, `${name}: is an option of the call; options are passed last, in an object of their own`);
      assert.equal(error.argument, name);
    }
  }
});

test("what a call says of options and settings has their names, what the service says stays", async () => {
  const theirs = "set max_retries on the client, or idempotency_key: is not an option of a call";
  const client = testing.scripted(Blooio, { exchanges: [{ fault: "reset" }, { status: 400, json: { message: theirs } }, { status: 502, json: { message: theirs } }] }, { maxRetries: 0 });
  const send = (options) => rejection(client.v2.messages.send("+1555", { text: "x" }, options));
  assert.match((await send({ headers: { "user-agent": "x" } })).message, /set userAgent on the client/);
  assert.match((await send()).message, /the same idempotencyKey/);
  assert.match((await rejection(client.v2.messages.send("+1555", { txt: "x" }))).message, /extraBody, query and headers/);
  assert.equal((await send()).message, theirs);
  assert.match((await send()).message, new RegExp(`^${theirs}; .* the same idempotencyKey`));
});

test("durations are rounded up to whole milliseconds", async () => {
  const client = testing.scripted(Blooio, { exchanges: [{ ...OK, delay_ms: 2 }] }, { timeout: 1.5, connectTimeout: 0.1 });
  await client.v2.messages.send("+1555", { text: "x" }, { timeout: 3.000_1, attemptTimeout: 2.5 });
  assert.equal(client.left, 0);
});

test("a plan's limits are kept to", async () => {
  const client = testing.scripted(Blooio, { exchanges: [OK, OK, OK] }, { plan: { perMinute: 2 } });
  for (let i = 0; i < 3; i++) await client.v2.messages.send("+1555", { text: "x" }, { timeout: 120_000 });
  assert.deepEqual(client.waitsMs.map((ms) => Math.round(ms / 1000)), [60]);
});

test("bigints keep their digits on the wire, answers keep them in json", async () => {
  const client = testing.scripted(Blooio, { exchanges: [{ status: 200, body: '{"n":9007199254740993}', headers: { "content-type": "application/json" } }] });
  const response = await client.v2.request("POST", "/x", { body: { n: 9007199254740993n } }).withResponse();
  assert.equal(client.requests[0].body, '{"n":9007199254740993}');
  assert.equal(response.json, '{"n":9007199254740993}');
  assert.equal(response.value.n, 9007199254740992);
});

test("errors are classes with facts, and show no content", async (t) => {
  const server = await serve(t, () => ({ status: 404, headers: { "x-request-id": "r1" }, json: { error: "not_found", message: "Chat +15551234567 of jane@example.com", secret: "Meet at noon" } }));
  const error = await rejection(blooio(server).v2.chats.get("+15551234567"));
  assert.ok(error instanceof NotFoundError && error instanceof APIError && error instanceof BloomChatsError && error instanceof Error);
  const { name, kind, status, code, requestId, attempts, maybeSent } = error;
  assert.deepEqual({ name, kind, status, code, requestId, attempts, maybeSent }, { name: "NotFoundError", kind: "not_found", status: 404, code: "not_found", requestId: "r1", attempts: 1, maybeSent: false });
  assert.equal(error.body.secret, "Meet at noon");
  // As Node shows one that nobody catches.
  const uncaught = inspect(error, { customInspect: false });
  assert.doesNotMatch(uncaught, /undefined/);
  for (const shown of [uncaught, inspect(error), String(error), error.stack, JSON.stringify(error), inspect({ error }, { depth: 9, showHidden: false })]) {
    assert.doesNotMatch(shown, /15551234567|jane|noon/);
  }
  assert.match(error.stack, /calls\.test\.mjs/, "the stack leads to the caller");
  assert.deepEqual(JSON.parse(JSON.stringify(error)), { name, message: error.message, kind, status, code, requestId, attempts, maybeSent });
});

test("errors lead to whoever awaits the call, however that is done, and name the operation", async () => {
  const refused = { status: 404, json: {} };
  const get = (exchanges = [refused]) => testing.scripted(Blooio, { exchanges }).v2.chats.get("+1555");
  const pages = (page) => testing.scripted(Blooio, { exchanges: [page, refused] }).v2.contacts.list({ limit: 1 });
  const page = { status: 200, json: { contacts: [{ id: "1" }], pagination: { limit: 1, offset: 0, total: 2 } } };
  const ways = {
    async awaited() { await get(); },
    async later() { const call = get(); await 1; await call; },
    async withResponse() { await get().withResponse(); },
    async together() { await Promise.all([1, get()]); },
    async passedOn() { await get().finally(() => {}); },
    async firstPage() { for await (const _ of pages(refused)); },
    async nextPage() { for await (const _ of pages(page)); },
    async refusedHere() { await testing.scripted(Blooio, { exchanges: [] }).v2.chats.get(Symbol("x")); },
    async aborted() { await testing.scripted(Blooio, { exchanges: [] }).v2.chats.get("+1", { signal: AbortSignal.abort() }); },
  };
  for (const [name, way] of Object.entries(ways)) {
    const { stack } = await rejection(way());
    assert.match(stack, /^\w+: .*\n    at blooio\.v2\.\w+\.\w+\n/, name);
    assert.match(stack, new RegExp(`\\b${name} .*calls\\.test\\.mjs`), name);
  }
});

test("a connection that is never made says so", async () => {
  const error = await rejection(new Blooio({ apiKey: "k", baseUrl: "http://127.0.0.1:9", maxRetries: 0 }).v2.me.get());
  assert.ok(error instanceof APIConnectionError);
  assert.equal(error.maybeSent, false);
});

test("both module systems share classes", () => {
  const required = createRequire(import.meta.url)(`${dist}index.js`);
  assert.equal(required.NotFoundError, NotFoundError);
  assert.equal(required.Blooio, Blooio);
});

test("settings are checked when a client is made", (t) => {
  const saved = process.env.BLOOIO_API_KEY;
  delete process.env.BLOOIO_API_KEY;
  t.after(() => saved && (process.env.BLOOIO_API_KEY = saved));
  const cases = [
    [() => new Blooio(), /BLOOIO_API_KEY/],
    [() => new BloomChats(), /BLOOMCHATS_API_KEY/],
    [() => new Blooio({ apiKey: "bl_secret\n" }), /apiKey/],
    [() => new Blooio({ apiKey: "k", baseUrl: "http://example.com" }), /http/],
    [() => new Blooio({ apiKey: "k", timeOut: 5 }), /`timeOut`; it is `timeout`/],
    [() => new Blooio({ apiKey: "k", baseURL: "http://127.0.0.1" }), /`baseURL`; it is `baseUrl`/],
    [() => new Blooio({ apiKey: "k", toString: 5 }), /`toString`$/],
    [() => new Blooio({ apiKey: "k", max_retries: 5 }), /`max_retries`; it is `maxRetries`/],
    [() => new Blooio({ api_key: "bl_secret" }), /`api_key`; it is `apiKey`/],
    [() => new Blooio({ apiKey: "k", timeout_ms: 5 }), /`timeout_ms`/],
    [() => new Blooio({ apiKey: "k", timeout: Infinity }), /^timeout: expected milliseconds/],
    [() => new Blooio({ apiKey: "k", timeout: "5" }), /^timeout: expected milliseconds/],
    [() => new Blooio({ apiKey: "k", connectTimeout: -5 }), /^connectTimeout: expected milliseconds/],
    [() => new Blooio({ apiKey: "k", timeout: 0 }), /timeout/],
    [() => new Blooio({ apiKey: 5 }), /apiKey: expected a string, or a function/],
    [() => new Blooio({ apiKey: "k", caCerts: Buffer.from("none") }), /caCerts: holds no certificate/],
    [() => new Blooio({ apiKey: "k", caCerts: 5 }), /./],
    [() => new Blooio("bl_secret"), /an object/],
    [() => new Blooio(null), /an object/],
    [() => new Blooio({ apiKey: "k", plan: "gold" }), /plan/],
    [() => new Blooio({ apiKey: "k", plan: {} }), /plan/],
    [() => new Blooio({ apiKey: "k", plan: JSON.parse('{ "perMinute": 5, "__proto__": {} }') }), /plan/],
  ];
  for (const [open, message] of cases) {
    assert.throws(open, (error) => error instanceof ConfigError && message.test(error.message) && !inspect(error).includes("bl_secret"), String(message));
  }
});

test("lists go page by page, lazily, and each loop begins anew", async (t) => {
  const server = await serve(t, ({ url }) => {
    const offset = Number(new URL(url, "http://x").searchParams.get("offset"));
    return { json: { chats: [{ id: `c${offset}` }, { id: `c${offset + 1}` }], pagination: { limit: 2, offset, total: 6 } } };
  });
  const list = blooio(server).v2.chats.list({ limit: 2 });
  assert.equal(server.requests.length, 0);
  for await (const chat of list) if (chat.id === "c2") break;
  assert.equal(server.requests.length, 2);
  const pages = [];
  for await (const page of list.pages()) pages.push([page.items.map(({ id }) => id).join(), page.hasNext, page.status]);
  assert.deepEqual(pages, [["c0,c1", true, 200], ["c2,c3", true, 200], ["c4,c5", false, 200]]);
  assert.equal((await list.all()).length, 6);
});

test("a page gives the one after it, once more where that failed", async () => {
  const page = (offset) => ({ status: 200, json: { chats: [{ id: `c${offset}` }], pagination: { limit: 1, offset, total: 3 } } });
  const exchanges = [page(0), { status: 400, json: {} }, page(1), page(1), page(2)];
  const client = testing.scripted(Blooio, exchanges);
  const { value: first } = await client.v2.chats.list({ limit: 1 }).pages().next();
  assert.equal((await rejection(first.nextPage())).status, 400);
  const second = await first.nextPage();
  assert.deepEqual((await first.nextPage()).items, second.items);
  const third = await second.nextPage();
  assert.deepEqual([second.items[0].id, second.hasNext, third.items[0].id, third.hasNext], ["c1", true, "c2", false]);
  assert.equal(await third.nextPage(), undefined);
  client.close();
  assert.ok((await rejection(second.nextPage())) instanceof ConfigError);
  assert.equal(client.left, 0);
});

test("a page of any length fits into one array", async () => {
  const rows = Array.from({ length: 250_000 }, () => ({}));
  assert.equal((await testing.scripted(BloomChats, { exchanges: [{ status: 200, json: rows }] }).contacts.list().all()).length, rows.length);
});

test("uploads from bytes, a Blob and a File", async (t) => {
  const server = await serve(t, () => ({ json: { success: true } }));
  const png = Buffer.from("\x89PNG\r\n\x1a\nrest", "latin1");
  const { groups } = blooio(server).v2;
  await groups.setIcon("grp_1", new Uint8Array(png));
  await groups.setIcon("grp_1", png.buffer.slice(png.byteOffset, png.byteOffset + png.length));
  await groups.setIcon("grp_1", new Blob([png], { type: "image/webp" }));
  if (globalThis.File) await groups.setIcon("grp_1", new File([png], "/home/jane/me.png"));
  await groups.setIcon("grp_1", runInNewContext("Uint8Array.from(given)", { given: [...png] }));
  await groups.setIcon("grp_1", runInNewContext("Uint8Array.from(given).buffer", { given: [...png] }));
  await groups.setIcon("grp_1", await openAsBlob(new URL(import.meta.url), { type: "text/javascript" }));
  await groups.setIcon("grp_1", { content: png, filename: "a.bin", contentType: "application/x-icon" });
  await groups.setIcon("grp_1", { content: png, filename: undefined, contentType: undefined });
  const parts = server.requests.map(({ body }) => /filename="(.+?)"\r\nContent-Type: (.+?)\r\n/.exec(body).slice(1).join());
  const file = globalThis.File ? ["me.png,image/png"] : [];
  assert.deepEqual(parts, ["icon,image/png", "icon,image/png", "icon,image/webp", ...file, "icon,image/png", "icon,image/png", "icon,text/javascript", "a.bin,application/x-icon", "icon,image/png"]);
  for (const wrong of ["text", 5, null, {}, { content: "text" }, { content: png, filename: 5 }, { content: png, contentType: {} }]) {
    const error = await rejection(groups.setIcon("grp_1", wrong));
    assert.ok(error instanceof InvalidArgumentError, inspect(wrong));
    assert.equal(error.argument, ["filename", "contentType"].reduce((at, name) => (wrong?.[name] === undefined ? at : `icon.${name}`), "icon"));
  }
});

test("the bytes of an upload are the caller's again when the call returns", async () => {
  const client = testing.scripted(Blooio, [{ status: 200, json: {} }, { status: 200, json: {} }]);
  const bytes = Buffer.from("first");
  const calls = [client.v2.groups.setIcon("grp_1", bytes), client.v2.groups.setIcon("grp_1", { content: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 5) })];
  bytes.fill("x");
  await Promise.all(calls);
  for (const { body } of client.requests) assert.match(body, /first/);
});

test("a client works behind a proxy that wraps whatever it gives, as those that trace do", async () => {
  const wrap = (target) => new Proxy(target, { get: (...of) => ((got) => (typeof got === "object" && got !== null ? wrap(got) : got))(Reflect.get(...of)) });
  const client = wrap(testing.scripted(Blooio, [OK, OK], { observer: () => {} }));
  assert.equal((await client.v2.messages.send("+1555", { text: "x" })).message_id, "m1");
  assert.equal((await client.v2.request("GET", "/x")).message_id, "m1");
  client.close();
  assert.ok((await rejection(client.v2.me.get())) instanceof ConfigError);
});

test("console.log shows clients by their parts' names, responses and pages with what they hold", async () => {
  const page = { status: 200, headers: { "x-request-id": "r1" }, json: { chats: [{ id: "c" }], pagination: { limit: 1, offset: 0, total: 3 } } };
  const client = testing.scripted(Blooio, [page, { status: 200, json: { ok: true } }]);
  class Notifier extends Blooio {
    sent = { today: [5] };
  }
  const { value: first } = await client.v2.chats.list({ limit: 1 }).pages().next();
  const shown = [
    [client, "Blooio { v2: [BlooioV2Api], v4: [BlooioV4Api] }"],
    [{ client }, "{ client: Blooio { v2: [BlooioV2Api], v4: [BlooioV4Api] } }"],
    [{ of: { of: { of: client } } }, "{ of: { of: { of: [Blooio] } } }"],
    [new BloomChats({ apiKey: "k" }), "BloomChats { contacts: [Contacts] }"],
    [new Notifier({ apiKey: "k" }), "Notifier { v2: [BlooioV2Api], v4: [BlooioV4Api], sent: [Object] }"],
    [client.v2.me, "Me {}"],
    [client.v2.chats.list(), "List { operation: 'blooio.v2.chats.list' }"],
    [first, "Page {\n  items: [ { id: 'c' } ],\n  hasNext: true,\n  status: 200,\n  requestId: 'r1',\n  attempts: 1\n}"],
    [await client.v2.me.get().withResponse(), "APIResponse { value: { ok: true }, status: 200, attempts: 1 }"],
  ];
  for (const [value, text] of shown) assert.equal(inspect(value), text);
  assert.equal(inspect(client, { depth: null }), inspect(client));
});

test("fields of an unexpected type read as absent, and raw has them", async () => {
  const json = { contact_id: "ct_1", name: 5, tags: ["a", 1], odd: [1] };
  const client = testing.scripted(Blooio, { exchanges: [{ status: 200, json }] });
  const contact = await client.v2.contacts.get("+1555");
  assert.equal(contact.name, undefined);
  assert.equal(contact.contact_id, "ct_1");
  assert.deepEqual(contact.odd, [1]);
  assert.deepEqual(sdk.raw(contact), json);
});

test("wait follows a send result", async () => {
  const status = (status) => ({ status: 200, json: { message_id: "m1", status } });
  const client = testing.scripted(Blooio, { exchanges: [OK, status("queued"), status("sent"), status("delivered")] });
  const sent = await client.v2.messages.send("+1555", { text: "x" });
  assert.equal((await client.v2.messages.wait("+1555", sent, { until: "delivered" }, { timeout: 30_000 })).status, "delivered");
  assert.deepEqual(client.waitsMs, [500, 1000, 2000]);
});

test("a closed client refuses new calls and ends the others", async (t) => {
  let answer;
  const server = await serve(t, () => new Promise((resolve) => (answer = resolve)));
  const client = blooio(server);
  const call = client.v2.me.get();
  await server.requested;
  client.close();
  const error = await rejection(client.v2.me.get());
  assert.ok(error instanceof ConfigError);
  answer({ json: { ok: true } });
  assert.deepEqual(await call, { ok: true });
});

test("a closed client fetches no further page; dispose closes", async () => {
  const page = { status: 200, json: { chats: [{ id: "c" }], pagination: { limit: 1, offset: 0, total: 3 } } };
  const blooio = testing.scripted(Blooio, { exchanges: [page, page] });
  const pages = blooio.v2.chats.list({ limit: 1 }).pages();
  await pages.next();
  blooio[Symbol.dispose]();
  const error = await rejection(pages.next());
  assert.ok(error instanceof ConfigError && /closed/.test(error.message), inspect(error));
  assert.equal(blooio.requests.length, 1);
  const bloomchats = testing.scripted(BloomChats, { exchanges: [] });
  bloomchats[Symbol.dispose]();
  assert.ok((await rejection(bloomchats.contacts.list().all())) instanceof ConfigError);
});

test("new keys are version 4 UUIDs and differ", () => {
  assert.match(sdk.newIdempotencyKey(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(sdk.newIdempotencyKey(), sdk.newIdempotencyKey());
});
