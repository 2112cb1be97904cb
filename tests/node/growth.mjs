// 200 000 calls of every kind leave a process as large as the first 25 000 did.
//
//   node bindings-node/build.mjs --pack --release && node --expose-gc --max-semi-space-size=2 tests/node/growth.mjs
//
// No test file, since it wants what users have, the packed release build, and a V8 whose nursery does not grow for a while on its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CALLS = Number(process.argv[2] ?? 200_000);
/** By then every cache is full. */
const WARM = 25_000;
const AT_ONCE = 32;
/** What all others may add, in MB: to the heap, to the whole process. A leak of 32 bytes a call would add 5.6. */
const BOUND = { heap: 1, process: 5 };

const SERVER = `
  const answer = (status, body) => "HTTP/1.1 " + status + "\\r\\ncontent-type: application/json\\r\\ncontent-length: " + body.length + "\\r\\n\\r\\n" + body;
  const [sent, missing, page] = [answer("202 Accepted", '{"message_id":"m1","status":"queued"}'), answer("404 Not Found", '{"error":"not_found"}'), answer("200 OK", '{"chats":[]}')];
  require("node:net").createServer((socket) => {
    socket.on("error", () => {}).on("data", (data) => {
      const line = data.latin1Slice(0, 60);
      if (!line.includes("silent")) socket.write(line.includes("missing") ? missing : line.startsWith("GET") ? page : sent);
    });
  }).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
  process.stdin.resume().on("end", () => process.exit());
`;

const packed = fileURLToPath(new URL("../../bindings-node/npm/", import.meta.url));
const dist = mkdtempSync(join(tmpdir(), "growth-"));
cpSync(join(packed, "sdk/dist"), dist, { recursive: true });
for (const name of readdirSync(packed, { recursive: true }).filter((name) => name.endsWith(".node"))) copyFileSync(join(packed, name), join(dist, name.split(/[\\/]/).pop()));
const { Blooio } = await import(join(dist, "index.mjs"));
const server = spawn(process.execPath, ["--eval", SERVER], { stdio: ["pipe", "pipe", "inherit"] });
const [port] = await once(server.stdout, "data");

const baseUrl = `http://127.0.0.1:${Number(port)}`;
const client = new Blooio({ apiKey: "k", baseUrl });
const watched = new Blooio({ apiKey: async () => "k", baseUrl, observer: () => {} });
const kinds = [
  ...Array(30).fill(() => client.v2.messages.send("+1", { text: "x" })),
  ...Array(5).fill(() => watched.v2.messages.send("+1", { text: "x" })),
  () => client.v2.messages.send("missing", { text: "x" }).catch(() => {}),
  () => watched.v2.messages.send("missing", { text: "x" }).catch(() => {}),
  () => client.v2.messages.send("+1", { text: 5 }).catch(() => {}),
  () => client.v2.chats.list().all(),
  () => {
    const controller = new AbortController();
    setImmediate(() => setImmediate(() => controller.abort()));
    return watched.v2.messages.send("silent", { text: "x" }, { signal: controller.signal }).catch(() => {});
  },
];

let made = 0;
async function upTo(count) {
  const callers = Array.from({ length: AT_ONCE }, async () => {
    while (made < count) await kinds[made++ % kinds.length]();
  });
  await Promise.all(callers);
  // What calls leave behind is given back in a few turns of the event loop, each by another collection.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 20, gc()));
  const { heapUsed, rss } = process.memoryUsage();
  console.log(`${made} calls: heap ${(heapUsed / 1e6).toFixed(1)} MB, process ${(rss / 1e6).toFixed(1)} MB`);
  return { heap: heapUsed / 1e6, process: rss / 1e6 };
}

try {
  const early = await upTo(WARM);
  await upTo((WARM + CALLS) / 2);
  const late = await upTo(CALLS);
  for (const [of, bound] of Object.entries(BOUND)) {
    if (late[of] > early[of] + bound) throw new Error(`the ${of} grew by ${(late[of] - early[of]).toFixed(1)} MB`);
  }
} finally {
  server.stdin.end();
  rmSync(dist, { recursive: true });
}
