// What the tests share: the built package, a loopback server that records, and child processes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

export const dist = fileURLToPath(new URL("../../bindings-node/dist/", import.meta.url));
export const sdk = await import(`${dist}index.mjs`);
export const testing = await import(`${dist}testing.mjs`);

/**
 * A loopback server. `answer(request)` gives `{ status, headers, json }`, or nothing to leave the request unanswered.
 * `closed` counts sockets that closed under an unanswered request.
 */
export async function serve(t, answer) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    let answered = false;
    const seen = { method: request.method, url: request.url, headers: request.headers, body: "" };
    request.socket.once("close", () => {
      if (!answered) {
        served.closed.push(seen);
        served.onClosed?.();
      }
    });
    for await (const chunk of request) chunks.push(chunk);
    seen.body = Buffer.concat(chunks).toString();
    served.requests.push(seen);
    served.onRequest?.();
    const { status = 200, headers = {}, json } = (await answer(seen, served.requests.length)) ?? {};
    if (json === undefined) return;
    answered = true;
    response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers }).end(JSON.stringify(json));
  });
  const served = { requests: [], closed: [], server };
  served.requested = new Promise((resolve) => (served.onRequest = resolve));
  served.hungUp = new Promise((resolve) => (served.onClosed = resolve));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  served.url = `http://127.0.0.1:${server.address().port}`;
  return served;
}

export function blooio(server, options = {}) {
  return new sdk.Blooio({ apiKey: "bl_test_key", baseUrl: server.url, ...options });
}

/** Runs a program of its own; gives its exit code, output and duration. It is ended after `limit` ms. */
export async function run(program, { limit = 20_000, env = {}, args = [] } = {}) {
  const start = performance.now();
  const child = spawn(process.execPath, [...args, "--input-type=module", "--eval", program], {
    env: { ...process.env, DIST: dist, SUPPORT: fileURLToPath(import.meta.url), ...env },
    timeout: limit,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const [code, signal] = await once(child, "close");
  return { code, signal, output, ms: performance.now() - start };
}

/** The error a promise rejects with. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not reject");
}

/** A promise, `passed`, that is kept once `pass` was called so often. */
export function gate(times = 1) {
  let open;
  const passed = new Promise((resolve) => (open = resolve));
  return { passed, pass: () => void (--times === 0 && open()) };
}

/** The same numbers between 0 and 1 for the same seed: a case that fails can be had again. */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
