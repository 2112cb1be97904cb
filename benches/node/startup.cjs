// What `require("@bloomchats/sdk")` costs, or, with the argument `bare`, what a program costs that does not.
//
// Prints one line of JSON: CPU time since the process began in ms, its memory in MB, threads and sockets it has, and the least
// time that it takes to open a client after the first in ms. BLOOMCHATS_PACKAGE says where the package is.

const { readdirSync, readlinkSync } = require("node:fs");

const bare = process.argv[2] === "bare";
const sdk = bare ? undefined : require(process.env.BLOOMCHATS_PACKAGE ?? "@bloomchats/sdk");
const { user, system } = process.cpuUsage();
const memory = process.memoryUsage.rss() / 1e6;

function opening() {
  const begun = process.hrtime.bigint();
  new sdk.Blooio({ apiKey: "bl_bench_key", baseUrl: "http://127.0.0.1:9" });
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

function link(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // the listing's own, closed by now
  }
}

const times = bare ? [0] : Array.from({ length: 20 }, opening).slice(1);
const sockets = readdirSync("/proc/self/fd").filter((fd) => link(fd).startsWith("socket:")).length;
const threads = readdirSync("/proc/self/task").length;
console.log(
  JSON.stringify({ cpu_ms: (user + system) / 1e3, memory_mb: memory, threads, sockets, open_ms: Math.min(...times) }),
);
