// Aborts at every stage of a call: fifty calls are brought there, then aborted in no particular order.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";

import { gate, random, sdk } from "./support.mjs";

const TIMES = 50;
const OK = '{"message_id":"m1","status":"queued"}';
const answer = (status, header, body) => `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${header}\r\n\r\n${body}`;
const accepted = answer("202 Accepted", "content-type: application/json", OK);
const calls = new AsyncLocalStorage();

/** A server of bytes. `heard(socket)` is told once a connection; `emptied()` waits until no connection is left. */
async function peer(t, heard = () => {}) {
  const sockets = new Set();
  let left;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).resume().once("data", () => heard(socket));
    socket.once("close", () => (sockets.delete(socket), left?.()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const emptied = async () => {
    while (sockets.size > 0) await new Promise((resolve) => (left = resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, emptied };
}

function sending(client, options) {
  return Array.from({ length: TIMES }, (_, number) => {
    const controller = new AbortController();
    const call = calls.run(number, () => client.v2.messages.send("+15551234567", { text: "x" }, { signal: controller.signal, ...options }));
    return { number, controller, ended: call.catch((error) => error) };
  });
}

async function abort(made, seed) {
  const next = random(seed);
  for (const { controller } of made.map((one) => [next(), one]).sort(([a], [b]) => a - b).map(([, one]) => one)) {
    for (let turns = Math.floor(next() * 3); turns > 0; turns--) await new Promise(setImmediate);
    controller.abort();
  }
}

/**
 * `prepare(t, reached)` gives the client's settings; `reached` is called whenever a call is at its stage. `told`: the events of a
 * call that is aborted there.
 */
function stage(name, { attempts, maybeSent, told, prepare }) {
  test(name, { timeout: 60_000 }, async (t) => {
    const there = gate(TIMES);
    const events = Array.from({ length: TIMES }, () => []);
    const observer = (event) => {
      if (calls.getStore() === undefined) return;
      events[calls.getStore()].push(`${event.scope} ${event.attributes["error.type"]}`);
      if (event.retryInMs !== undefined) prepared.waits?.();
    };
    const prepared = await prepare(t, there.pass);
    const { emptied, options, settings } = prepared;
    const client = new sdk.Blooio({ apiKey: "bl_test_key", timeout: 3_600_000, observer, ...settings });
    await prepared.before?.(client);
    const made = sending(client, options);
    await there.passed;
    await abort(made, 7);
    for (const { number, controller, ended } of made) {
      const error = await ended;
      assert.ok(error instanceof sdk.AbortError, error.stack);
      assert.equal(error.cause, controller.signal.reason);
      assert.deepEqual([error.attempts, error.maybeSent], [attempts, maybeSent]);
      assert.match(error.idempotencyKey, /^[0-9a-f-]{36}$/);
      assert.deepEqual(events[number], told);
      assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    }
    await emptied();
  });
}

stage("while the credential is asked for", {
  attempts: 0, maybeSent: false, told: ["call cancelled"],
  prepare: async (t, reached) => {
    const { url, emptied } = await peer(t, () => assert.fail("nothing may be sent"));
    return { emptied, settings: { baseUrl: url, apiKey: () => (reached(), new Promise(() => {})) } };
  },
});

stage("while the plan has no turn", {
  attempts: 0, maybeSent: false, told: ["call cancelled"],
  prepare: async (t, reached) => {
    const { url, emptied } = await peer(t, (socket) => socket.end(accepted));
    const before = (client) => client.v2.messages.send("+15551234567", { text: "takes the turn" });
    let asked = 0;
    const apiKey = async () => (asked++ > 0 && setImmediate(reached), "bl_test_key");
    return { emptied, before, settings: { baseUrl: url, apiKey, plan: { perMinute: 1 } } };
  },
});

stage("while the connection is made", {
  attempts: 1, maybeSent: false, told: ["attempt cancelled", "call cancelled"],
  prepare: async (t, reached) => {
    const { url, emptied } = await peer(t, reached);
    return { emptied, settings: { baseUrl: url.replace("http:", "https:") } };
  },
});

stage("when the request was sent", {
  attempts: 1, maybeSent: true, told: ["attempt cancelled", "call cancelled"],
  prepare: async (t, reached) => {
    const { url, emptied } = await peer(t, reached);
    return { emptied, settings: { baseUrl: url } };
  },
});

stage("in the middle of the answer", {
  attempts: 1, maybeSent: true, told: ["attempt cancelled", "call cancelled"],
  prepare: async (t, reached) => {
    const { url, emptied } = await peer(t, (socket) => socket.write(accepted.slice(0, -9), reached));
    return { emptied, settings: { baseUrl: url } };
  },
});

stage("in the wait before the next attempt", {
  attempts: 1, maybeSent: false, told: ["attempt 429", "call cancelled"],
  prepare: async (t, reached) => {
    // All are refused at once: whoever came later would wait before its first attempt.
    const here = gate(TIMES);
    const { url, emptied } = await peer(t, async (socket) => (here.pass(), await here.passed, socket.end(answer("429 Busy", "retry-after: 30", ""))));
    return { emptied, waits: reached, settings: { baseUrl: url } };
  },
});

test("while the answer is on its way: it counts, or the error says that it may", { timeout: 60_000 }, async (t) => {
  const here = gate(TIMES);
  const { url, emptied } = await peer(t, async (socket) => (here.pass(), await here.passed, socket.end(accepted)));
  const made = sending(new sdk.Blooio({ apiKey: "bl_test_key", baseUrl: url }));
  await here.passed;
  await abort(made, 11);
  for (const { ended } of made) {
    const end = await ended;
    if (end instanceof Error) assert.deepEqual([end.name, end.maybeSent, end.attempts], ["AbortError", true, 1]);
    else assert.equal(end.message_id, "m1");
  }
  await emptied();
});
