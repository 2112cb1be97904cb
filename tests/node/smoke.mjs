// What any host must be able to do, against the sandbox; see hosts.mjs. No test file: Bun and Deno have test runners of their own.

import { AbortError, APITimeoutError, Blooio, InvalidArgumentError, WebhookVerificationError, webhooks } from "@bloomchats/sdk";
import { startSandbox } from "@bloomchats/sdk/testing";
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer } from "node:net";

const ALICE = "+15551234567";
const sandbox = await startSandbox();
const storage = new AsyncLocalStorage();
const told = [];
const blooio = sandbox.blooio({ observer: ({ scope }) => told.push([storage.getStore(), scope]) });

// Sends and waits, in the context of their caller.
const sent = await storage.run("call", () => blooio.v2.messages.send(ALICE, { text: "Hello" }));
assert.deepEqual(told, [["call", "attempt"], ["call", "call"]]);
assert.equal((await sandbox.phone(ALICE).inbox())[0]?.text, "Hello");
assert.equal((await blooio.v2.messages.wait(ALICE, sent, { until: "delivered" }, { timeout: 30_000 })).status, "delivered");
const chats = Array.from({ length: 200 }, (_, i) => `+1555123${1000 + i}`);
assert.equal((await Promise.all(chats.map((chat) => blooio.v2.messages.send(chat, { text: "x" })))).length, 200);
await assert.rejects(blooio.v2.messages.send(ALICE, { text: 5 }), InvalidArgumentError);

// Lists, whole and left early.
const listed = new Set();
for await (const { id } of sandbox.bloomchats().contacts.list()) listed.add(id);
assert.ok(listed.size > 100);
told.length = 0;
for await (const chat of blooio.v2.chats.list({ limit: 10 })) if (chat) break;
assert.equal(told.filter(([, scope]) => scope === "call").length, 1);

// Aborts and timeouts; the server sees the socket close.
const server = createServer((socket) => socket.on("error", () => {}).on("data", () => server.emit("asked")).on("close", () => server.emit("left")));
await once(server.listen(0, "127.0.0.1"), "listening");
const silent = new Blooio({ apiKey: "bl_test_key", baseUrl: `http://127.0.0.1:${server.address().port}` });
await assert.rejects(silent.v2.me.get({ signal: AbortSignal.abort("before") }), AbortError);
const controller = new AbortController();
const asked = once(server, "asked");
const left = once(server, "left");
const call = silent.v2.messages.send(ALICE, { text: "x" }, { signal: controller.signal });
await asked;
controller.abort("during");
await assert.rejects(call, (error) => error instanceof AbortError && error.maybeSent && error.cause === "during");
await left;
await assert.rejects(silent.v2.me.get({ timeout: 100 }), APITimeoutError);
server.close();

// Webhooks.
const body = JSON.stringify({ event: "message.received", message_id: "m1" });
const headers = { "x-blooio-signature": webhooks.sign(body, "whsec_test") };
assert.equal(webhooks.verify(new TextEncoder().encode(body), headers, "whsec_test").type, "message.received");
assert.equal((await webhooks.verifyRequest(new Request("http://localhost/", { method: "POST", body, headers }), "whsec_test")).data.message_id, "m1");
assert.throws(() => webhooks.verify(`${body} `, headers, "whsec_test"), WebhookVerificationError);

await sandbox.close();
console.log("smoke passed");
