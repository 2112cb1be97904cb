// Processes that end with calls at every stage: fifty times each way, at moments that differ.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";

import { random, run } from "./support.mjs";

const TIMES = 50;

/** Ends at the `at`th thing that happens to it: its calls are made, a request arrives, an attempt is over. */
const program = (at, end) => `
  import { createServer } from "node:http";
  const { Blooio } = await import(process.env.DIST + "index.mjs");
  process.on("unhandledRejection", (error) => console.log("unhandled", error));
  let happened = 0;
  const happens = () => { if (happened++ === ${at}) { ${end} } };
  const server = createServer((request, response) => {
    request.resume();
    happens();
    if (request.url.includes("answered")) response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1","status":"queued"}');
    if (request.url.includes("refused")) response.writeHead(503, { "retry-after": "20" }).end();
    if (request.url.includes("begun")) response.writeHead(202, { "content-type": "application/json", "content-length": 40 }).write("{");
  });
  server.listen(0, "127.0.0.1", () => {
    const baseUrl = "http://127.0.0.1:" + server.address().port;
    const open = (options) => new Blooio({ apiKey: "k", baseUrl, observer: happens, ...options });
    const send = (client, chat) => client.v2.messages.send(chat, { text: "x" }).catch(() => {});
    const client = open();
    for (const chat of ["answered", "refused", "begun", "silent"]) for (let i = 0; i < 3; i++) send(client, chat);
    send(open({ apiKey: () => new Promise(() => {}) }), "silent");
    const limited = open({ apiKey: "limited", plan: { perMinute: 1 }, timeout: 600_000 });
    for (let i = 0; i < 3; i++) send(limited, "answered");
    happens();
  });
`;

const ways = [
  { name: "process.exit", end: "process.exit(7);", code: 7, output: /^$/ },
  { name: "an error nobody catches", end: 'setImmediate(() => { throw new Error("boom"); });', code: 1, output: /^[^]*Error: boom[^]*$/ },
  { name: "SIGTERM", end: 'process.kill(process.pid, "SIGTERM");', signal: "SIGTERM", output: /^$/ },
];

for (const { name, end, code = null, signal = null, output } of ways) {
  test(`${name} with calls under way`, async () => {
    const next = random(3);
    const moments = Array.from({ length: TIMES }, () => Math.floor(next() * 20));
    const take = async () => {
      for (let at = moments.pop(); at !== undefined; at = moments.pop()) {
        const ended = await run(program(at, end));
        const told = `at ${at}: code ${ended.code}, signal ${ended.signal}\n${ended.output}`;
        assert.deepEqual([ended.code, ended.signal], [code, signal], told);
        assert.match(ended.output, output, told);
        assert.doesNotMatch(ended.output, /unhandled|panicked|FATAL|terminate called/, told);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, take));
  });
}
