// The host never hangs or crashes because of us: programs of their own, and how they end.

import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { dist, run } from "./support.mjs";

const open = `
  import { createServer } from "node:http";
  const { Blooio } = await import(process.env.DIST + "index.mjs");
  const serve = (answer) => new Promise((resolve) => {
    const server = createServer((request, response) => (request.resume(), answer(request, response)));
    server.listen(0, "127.0.0.1", () => resolve([server, "http://127.0.0.1:" + server.address().port]));
  });
  const open = (baseUrl, options) => new Blooio({ apiKey: "k", baseUrl, ...options });
  const ok = (request, response) => response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1","status":"queued"}');
`;

function ended({ code, signal, output }) {
  assert.equal(signal, null, `ended by ${signal}: ${output}`);
  assert.equal(code, 0, output);
}

test("an idle client lets its process end", async () => {
  const result = await run(`${open}
    const client = open("http://127.0.0.1:9");
    const [server, url] = await serve(ok);
    await open(url).v2.messages.send("+1", { text: "x" });
    server.close();
    server.closeAllConnections();
    console.log("sent");
  `);
  ended(result);
  assert.match(result.output, /sent/);
  assert.ok(result.ms < 5000, `${result.ms} ms`);
});

test("the shapes of an API's models are read with its first answer", async () => {
  const result = await run(`${open}
    const { createRequire } = await import("node:module");
    const { basename, dirname } = await import("node:path");
    const { cache } = createRequire(process.env.DIST);
    const shapes = () => Object.keys(cache).filter((path) => path.endsWith("shapes.js")).map((path) => basename(dirname(path))).join();
    const [server, url] = await serve((request, response) => (ok(request, response), server.close()));
    const client = open(url);
    console.log("before: [" + shapes() + "]");
    await client.v2.messages.send("+1", { text: "x" });
    console.log("after: [" + shapes() + "]");
  `);
  ended(result);
  assert.match(result.output, /before: \[\]\nafter: \[blooio_v2\]/);
});

test("a call under way keeps its process alive, and only so long", async () => {
  const result = await run(`${open}
    const [server, url] = await serve((request, response) => setTimeout(() => (ok(request, response), server.close()), 300));
    server.unref();
    open(url).v2.messages.send("+1", { text: "x" }).then(() => console.log("kept alive"));
  `);
  ended(result);
  assert.match(result.output, /kept alive/);
});

test("a failed call that nobody looks at is one unhandled rejection, a handled one none", async () => {
  const result = await run(`${open}
    const seen = [];
    process.on("unhandledRejection", (error) => seen.push(error.name));
    const client = open("http://127.0.0.1:9", { maxRetries: 0 });
    client.v2.me.get();
    client.v2.me.get().catch(() => {});
    client.v2.me.get().withResponse().catch(() => {});
    client.v2.me.get().finally(() => {}).catch(() => {});
    try { await client.v2.me.get(); } catch {}
    await Promise.allSettled([client.v2.me.get(), client.v2.me.get({ signal: AbortSignal.abort() })]);
    client.v2.chats.list();
    const controller = new AbortController();
    const aborted = client.v2.me.get({ signal: controller.signal });
    controller.abort();
    await aborted.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    console.log(JSON.stringify(seen));
  `);
  ended(result);
  assert.match(result.output, /\["APIConnectionError"\]/);
});

const worker = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { Blooio } = require(process.env.DIST + "index.js");
  parentPort.postMessage("loaded");
  const client = new Blooio({ apiKey: async () => "k", baseUrl: workerData.url, observer: () => parentPort.postMessage("told") });
  for (let i = 0; i < 5; i++) client.v2.messages.send("+" + i, { text: "x" }).then((sent) => parentPort.postMessage(sent.message_id), () => {});
  parentPort.postMessage("called");
  if (workerData.stay) setInterval(() => {}, 1000);
`;

test("50 workers load, call and are terminated, each at another moment", async () => {
  const result = await run(`${open}
    import { on, once } from "node:events";
    import { Worker } from "node:worker_threads";
    const { random } = await import(process.env.SUPPORT);
    const next = random(5);
    const one = (list) => list[Math.floor(next() * list.length)];
    const [server, url] = await serve((request, response) => { if (/%2B[02]/.test(request.url)) ok(request, response); });
    const live = async () => {
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [], workerData: { url, stay: true } });
      const moment = one(["online", "loaded", "called", "told", "m1"]);
      if (moment === "online") await once(worker, "online");
      else for await (const [message] of on(worker, "message")) if (message === moment) break;
      for (let turns = Math.floor(next() * 200); turns > 0; turns--) await new Promise(setImmediate);
      const code = await worker.terminate();
      if (code !== 1) throw new Error(moment + ": " + code);
    };
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 10 }, live));
    const sent = await open(url).v2.messages.send("+0", { text: "x" });
    server.closeAllConnections();
    server.close();
    console.log("and the process works", sent.message_id);
  `, { limit: 60_000 });
  ended(result);
  assert.equal(result.output, "and the process works m1\n");
});

test("workers that end by themselves, in a process that never loads the package itself", async () => {
  const result = await run(`
    import { createServer } from "node:http";
    import { Worker } from "node:worker_threads";
    import { once } from "node:events";
    const server = createServer((request, response) => (request.resume(), response.writeHead(202, { "content-type": "application/json" }).end('{"message_id":"m1","status":"queued"}')));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = "http://127.0.0.1:" + server.address().port;
    let sent = 0;
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [], workerData: { url } });
      worker.on("message", (message) => (sent += message === "m1"));
      await once(worker, "exit");
    }
    server.closeAllConnections();
    server.close();
    console.log("sent", sent);
  `, { limit: 60_000 });
  ended(result);
  assert.match(result.output, /sent 50/);
});

test("a worker has an environment of its own", async () => {
  const result = await run(`
    import { Worker } from "node:worker_threads";
    const program = 'const { Blooio } = require(process.env.DIST + "index.js"); new Blooio(); console.log("opened")';
    new Worker(program, { eval: true, execArgv: [], env: { ...process.env, BLOOIO_API_KEY: "k" } });
  `, { env: { BLOOIO_API_KEY: "" } });
  ended(result);
  assert.match(result.output, /opened/);
});

for (const [driver, own] of [["its event loop", ""], ["a thread", ", Bun: {}"]]) {
  test(`a vm context that a test runner made for one file goes away with the clients in it, driven by ${driver}`, { skip: process.platform !== "linux" }, async () => {
    const result = await run(`${open}
      import { readdirSync, readFileSync } from "node:fs";
      import { createRequire } from "node:module";
      import { dirname, join } from "node:path";
      import { createContext, runInContext } from "node:vm";
      const outside = createRequire(process.env.DIST);
      const load = (context, path, loaded = new Map()) => {
        if (loaded.has(path)) return loaded.get(path).exports;
        const module = { exports: {} };
        loaded.set(path, module);
        const inside = (id) => (/^\\.(?!.*node$)/.test(id) ? load(context, join(dirname(path), id.replace(/(\\.js)?$/, ".js")), loaded) : outside(id));
        const code = "(function (exports, require, module, __dirname) {" + readFileSync(path, "utf8") + "})";
        runInContext(code, context)(module.exports, inside, module, dirname(path));
        return module.exports;
      };
      const [server, baseUrl] = await serve(ok);
      const use = async () => {
        const context = createContext({ process, Buffer${own} });
        const { Blooio } = load(context, process.env.DIST + "index.js");
        await new Blooio({ apiKey: "k", baseUrl }).v2.messages.send("+1", { text: "x" });
        return new WeakRef(context);
      };
      const descriptors = () => readdirSync("/proc/self/fd").length;
      const contexts = [await use()];
      const before = descriptors();
      for (let i = 0; i < 20; i++) contexts.push(await use());
      const stay = () => contexts.filter((context) => context.deref()).length;
      for (let i = 0; i < 100 && (stay() > 0 || descriptors() > before); i++) {
        // What was looked at stays until the next turn; and each collection lets the next one take what it has let go.
        await new Promise((resolve) => setTimeout(resolve, 20));
        gc();
      }
      console.log(stay(), "stay,", descriptors() <= before);
      server.closeAllConnections();
      server.close();
    `, { args: ["--expose-gc"] });
    ended(result);
    assert.match(result.output, /^0 stay, true$/m);
  });
}

test("a load failure says platform, libc and tried paths, with its cause", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sdk-"));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(dist, folder, { recursive: true, filter: (path) => !path.endsWith(".node") });
  const load = `import(process.env.DIST + "index.mjs").catch((error) => console.log(error, error.cause))`;
  const missing = await run(load, { env: { DIST: `${folder}/` } });
  for (const fact of [/on linux-x64, glibc \d/, /Tried @bloomchats\/sdk-linux-x64-gnu, .*bloomchats\.linux-x64-gnu\.node/, /MODULE_NOT_FOUND/, /omit optional/]) {
    assert.match(missing.output, fact);
  }
  const addon = readdirSync(dist).find((name) => name.endsWith(".node"));
  mkdirSync(join(folder, "node_modules/@bloomchats/sdk-linux-x64-gnu"), { recursive: true });
  copyFileSync(join(dist, "index.js"), join(folder, addon));
  assert.match((await run(load, { env: { DIST: `${folder}/` } })).output, /invalid ELF header/);
});
