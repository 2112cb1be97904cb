// Calls are driven on the environment's own event loop; on a thread where a host has no such loop, with nothing else changed.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { blooio, dist, gate, run, sdk, serve, testing } from "./support.mjs";

/** Has the package take this process for one of a host without libuv. */
const elsewhere = "globalThis.Bun = {};";

/** A server on a thread of its own, and what it has answered, readable while this thread's loop is blocked. */
async function apart(t) {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const server = new Worker(`
    const { parentPort, workerData } = require("node:worker_threads");
    require("node:http").createServer((request, response) => {
      request.resume().on("end", () => {
        response.on("finish", () => Atomics.add(workerData, 0, 1));
        response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1"}');
      });
    }).listen(0, "127.0.0.1", function () { parentPort.postMessage(this.address().port); });
  `, { eval: true, workerData: answered });
  t.after(() => server.terminate());
  const port = await new Promise((resolve) => server.once("message", resolve));
  return { url: `http://127.0.0.1:${port}`, answers: () => Atomics.load(answered, 0) };
}

test("an answer that came in time is no timeout because the loop was busy", async (t) => {
  const server = await apart(t);
  const client = blooio(server, { attemptTimeout: 300, maxRetries: 0 });
  for (let tries = 1; ; tries++) {
    await client.v2.messages.send("+1", { text: "on a connection that is there" }, { attemptTimeout: 10_000 });
    const before = server.answers();
    const begun = performance.now();
    const sending = client.v2.messages.send("+1", { text: "x" });
    // The request is on its way before the call returns: nothing else runs here until it is answered.
    while (server.answers() === before && performance.now() < begun + 10_000);
    const took = performance.now() - begun;
    while (performance.now() < begun + 600);
    if (took > 150 && tries < 10) {
      await sending.catch(() => {});
      continue; // the machine was busy, too
    }
    assert.equal((await sending).message_id, "m1", `answered after ${took} ms`);
    break;
  }
});

test("a request leaves before its call returns, and nothing is told within the call", async (t) => {
  const server = await apart(t);
  let told = 0;
  const client = blooio(server, { observer: () => told++ });
  await client.v2.messages.send("+1", { text: "x" });
  told = 0;
  const refused = client.v2.messages.send("+1", { text: 5 }).catch((error) => error.name);
  assert.equal(told, 0);
  assert.equal(await refused, "InvalidArgumentError");
  const sending = client.v2.messages.send("+1", { text: "x" });
  const until = performance.now() + 10_000;
  while (server.answers() < 2 && performance.now() < until);
  assert.equal(server.answers(), 2);
  assert.equal(told, 0);
  await sending;
  assert.equal(told, 2, "of an attempt and of a call");
});

test("of large answers that come together some are left for the loop's next turns, and an abort takes all", async () => {
  const json = { message_id: "m1", text: "x".repeat(40_000) };
  const start = (signal) => {
    const client = testing.scripted(sdk.Blooio, { exchanges: Array(12).fill({ status: 202, json }) });
    const turns = [];
    let turn = 0;
    const next = () => (turn++, turns.length < 12 && setImmediate(next));
    setImmediate(next);
    const sending = Array.from({ length: 12 }, () => client.v2.messages.send("+1", { text: "x" }, { signal }).then(({ text }) => (turns.push(turn), assert.equal(text, json.text))));
    return Promise.all(sending).then(() => new Set(turns).size);
  };
  assert.ok((await start()) >= 5, "two and a half fit into a turn");
  const controller = new AbortController();
  const turns = start(controller.signal);
  controller.abort();
  assert.equal(await turns, 1);
});

test("what ends in one turn goes to whom it belongs, with the way on from a page", async () => {
  const scripted = (exchanges) => testing.scripted(sdk.Blooio, { exchanges }).v2;
  const list = (name, total) => {
    const pages = Array.from({ length: total }, (_, offset) => ({ status: 200, json: { chats: [{ id: `${name}${offset}` }], pagination: { limit: 1, offset, total } } }));
    return scripted(pages).chats.list({ limit: 1 }).all().then((chats) => chats.map(({ id }) => id).join());
  };
  const send = (text) => scripted([{ status: 202, json: { message_id: text, text } }]).messages.send("+1", { text }).then((sent) => sent.text);
  const refused = scripted([{ status: 404, json: { error: "ä\nb" } }]).me.get().catch((error) => error.status);
  const ends = [list("a", 3), send("line\nline"), list("ä", 2), refused, list("c", 1), send("\u{1f600}")];
  assert.deepEqual(await Promise.all(ends), ["a0,a1,a2", "line\nline", "ä0,ä1", 404, "c0", "\u{1f600}"]);
});

/** How often this process's threads of ours have gone to sleep. */
function sleeps() {
  const statuses = readdirSync("/proc/self/task").map((task) => readFileSync(`/proc/self/task/${task}/status`, "utf8"));
  const ours = statuses.filter((status) => /^Name:\s+bloomchats$/m.test(status));
  assert.equal(ours.length, 1, "one thread makes connections");
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(ours[0])[1]);
}

test("no second thread takes part in calls on connections that are there", { skip: process.platform !== "linux" }, async (t) => {
  const server = await apart(t);
  const client = blooio(server);
  const send = async (times) => {
    for (let i = 0; i < times; i++) await client.v2.messages.send("+1", { text: "x" });
  };
  await send(10);
  const before = sleeps();
  await send(500);
  assert.ok(sleeps() - before < 100, `${sleeps() - before} wake-ups for 500 calls`);
});

test("a worker that is terminated in the middle of a call closes its socket", async (t) => {
  const { passed: gone, pass } = gate();
  const server = await serve(t, (request) => (request.url.includes("silent") ? undefined : { json: { message_id: "m1" } }));
  server.onClosed = pass;
  const worker = new Worker(`
    const { workerData } = require("node:worker_threads");
    const { Blooio } = require(workerData.dist + "index.js");
    const client = new Blooio({ apiKey: "k", baseUrl: workerData.url });
    client.v2.messages.send("+1", { text: "x" }).then(() => client.v2.messages.send("silent", { text: "x" }));
  `, { eval: true, workerData: { url: server.url, dist } });
  const asked = gate(2);
  server.onRequest = asked.pass;
  await asked.passed;
  assert.equal(await worker.terminate(), 1);
  await gone;
  assert.match(server.closed.at(-1).url, /silent/);
  assert.equal((await blooio(server).v2.messages.send("+1", { text: "x" })).message_id, "m1");
});

const program = `
  import { createServer } from "node:http";
  const { Blooio } = await import(process.env.DIST + "index.mjs");
  const server = createServer((request, response) => {
    request.resume();
    if (!request.url.includes("silent")) response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1"}');
  });
  server.listen(0, "127.0.0.1", async () => {
    const client = new Blooio({ apiKey: async () => "k", baseUrl: "http://127.0.0.1:" + server.address().port, observer: () => {} });
    const send = (chat, options) => client.v2.messages.send(chat, { text: "x" }, options);
    process.on("uncaughtException", (error) => console.log("uncaught", error.message));
    await send("+1");
    process.nextTick(() => { throw new Error("of a tick"); });
    await send("+1");
    const sent = await Promise.all(Array.from({ length: 100 }, () => send("+1")));
    const aborted = send("silent", { signal: AbortSignal.timeout(50) }).catch((error) => error.name);
    const late = send("silent", { timeout: 100 }).catch((error) => error.name);
    console.log(sent.length, await aborted, await late);
    server.close();
    server.closeAllConnections();
    send("+1", { signal: AbortSignal.abort() }).catch((error) => console.log(error.name));
  });
`;

for (const [name, before] of [["its own event loop", ""], ["a thread", elsewhere]]) {
  test(`a process whose calls are driven by ${name} ends by itself`, async () => {
    const { code, signal, output } = await run(before + program);
    assert.deepEqual([code, signal], [0, null], output);
    assert.equal(output, "uncaught of a tick\n100 AbortError APITimeoutError\nAbortError\n");
  });
}

test("the thread is what hosts without libuv get", { skip: process.platform !== "linux" }, async () => {
  const { output } = await run(`${elsewhere}
    import { createServer } from "node:http";
    import { readdirSync, readFileSync } from "node:fs";
    const { Blooio } = await import(process.env.DIST + "index.mjs");
    const sleeps = () => readdirSync("/proc/self/task").map((task) => readFileSync("/proc/self/task/" + task + "/status", "utf8"))
      .filter((status) => /^Name:\\s+bloomchats$/m.test(status)).reduce((sum, status) => sum + Number(/^voluntary_ctxt_switches:\\s+(\\d+)/m.exec(status)[1]), 0);
    const server = createServer((request, response) => (request.resume(), response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1"}')));
    server.listen(0, "127.0.0.1", async () => {
      const client = new Blooio({ apiKey: "k", baseUrl: "http://127.0.0.1:" + server.address().port });
      await client.v2.messages.send("+1", { text: "x" });
      const before = sleeps();
      for (let i = 0; i < 300; i++) await client.v2.messages.send("+1", { text: "x" });
      // It does not sleep where an answer is there already; without a part in calls it would not wake at all.
      console.log(sleeps() - before >= 100);
      server.close();
      server.closeAllConnections();
    });
  `);
  assert.equal(output, "true\n");
});
