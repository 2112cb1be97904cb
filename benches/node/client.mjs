// Runs one Node client: so many calls, so many at a time, and what they cost.
//
//   node client.mjs CLIENT URL send|list CONCURRENCY CALLS
//
// Prints one line of JSON: CPU time of the process, user and system, and wall time, both without start and warm-up, and the
// latencies' median and 99th percentile. Every number that standard input then has is that of the calls of another part, which prints
// another line. Each opens one client and keeps its connections; all but ours give plain JSON.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const KEY = "bl_bench_key";
const CHAT = "grp_bench";
const MESSAGE = "msg_01J8ZB3T5QH7";
const ROWS = 100;
const LAST = "+15550000099";
const SEND = `/v2/api/chats/${CHAT}/messages`;
const LIST = "/v2/api/contacts?limit=100&offset=0";
const BODY = { text: "Hello" };
const HEADERS = { authorization: `Bearer ${KEY}`, accept: "application/json" };

const keyed = () => ({ ...HEADERS, "content-type": "application/json", "idempotency-key": randomUUID() });

function checkSend(message) {
  if (message !== MESSAGE) throw new Error(`another message was sent: ${message}`);
}

function checkList(rows) {
  if (rows.length !== ROWS || rows[ROWS - 1].identifier !== LAST) throw new Error(`another list came: ${rows.length}`);
}

function ok(status) {
  if (status < 200 || status > 299) throw new Error(`the server answered ${status}`);
}

/** Packages are found from the working folder, where they were installed. */
const packages = createRequire(`${process.cwd()}/`);

const CLIENTS = {
  ours(url) {
    const { Blooio } = packages(process.env.BLOOMCHATS_PACKAGE ?? "@bloomchats/sdk");
    const client = new Blooio({ apiKey: KEY, baseUrl: url });
    return {
      send: async () => checkSend((await client.v2.messages.send(CHAT, { text: "Hello" })).message_id),
      async list() {
        const { value } = await client.v2.contacts.list().pages().next();
        checkList(value.items);
      },
    };
  },

  fetch(url) {
    const json = async (response) => {
      ok(response.status);
      return response.json();
    };
    return {
      async send() {
        const request = { method: "POST", headers: keyed(), body: JSON.stringify(BODY) };
        checkSend((await json(await fetch(url + SEND, request))).message_id);
      },
      list: async () => checkList((await json(await fetch(url + LIST, { headers: HEADERS }))).contacts),
    };
  },

  undici(url, concurrency) {
    const { Pool } = packages("undici");
    const pool = new Pool(url, { connections: concurrency, allowH2: true });
    const json = async ({ statusCode, body }) => {
      ok(statusCode);
      return body.json();
    };
    return {
      async send() {
        const request = { method: "POST", path: SEND, headers: keyed(), body: JSON.stringify(BODY) };
        checkSend((await json(await pool.request(request))).message_id);
      },
      list: async () => checkList((await json(await pool.request({ method: "GET", path: LIST, headers: HEADERS }))).contacts),
    };
  },

  axios(url) {
    const axios = packages("axios");
    const [httpAgent, httpsAgent] = [HttpAgent, HttpsAgent].map((Agent) => new Agent({ keepAlive: true }));
    const client = axios.create({ baseURL: url, proxy: false, httpAgent, httpsAgent });
    return {
      send: async () => checkSend((await client.post(SEND, BODY, { headers: keyed() })).data.message_id),
      list: async () => checkList((await client.get(LIST, { headers: HEADERS })).data.contacts),
    };
  },

  /** No client at all: requests of fixed bytes, and answers of which only the length is read, as little as one does in JavaScript itself. */
  sockets(url) {
    const { hostname, port } = new URL(url);
    const written = (method, target, headers, body = "") => {
      const lines = Object.entries({ host: hostname, ...headers, "content-length": body.length });
      return [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", body].join("\r\n");
    };
    const [sending, listing] = [written("POST", SEND, keyed(), JSON.stringify(BODY)), written("GET", LIST, HEADERS)];
    const idle = [];
    const open = () => {
      const socket = connect(Number(port), hostname).setNoDelay().setEncoding("latin1");
      const connection = { socket, got: "", answered: undefined };
      socket.on("data", (piece) => {
        connection.got += piece;
        const end = connection.got.indexOf("\r\n\r\n") + 4;
        const length = Number(/^content-length: (\d+)/m.exec(connection.got)[1]);
        if (connection.got.length >= end + length) connection.answered(connection.got.slice(end));
      });
      return connection;
    };
    const answer = async (request) => {
      const connection = idle.pop() ?? open();
      connection.got = "";
      const body = await new Promise((answered) => {
        connection.answered = answered;
        connection.socket.write(request);
      });
      idle.push(connection);
      return JSON.parse(body);
    };
    return {
      send: async () => checkSend((await answer(sending)).message_id),
      list: async () => checkList((await answer(listing)).contacts),
    };
  },
};

async function run(call, concurrency, calls) {
  const latencies = [];
  const work = async (share) => {
    for (let i = 0; i < share; i++) {
      const begun = process.hrtime.bigint();
      await call();
      latencies.push(Number(process.hrtime.bigint() - begun) / 1e3);
    }
  };
  const share = (place) => Math.floor(calls / concurrency) + (place < calls % concurrency ? 1 : 0);
  await Promise.all(Array.from({ length: concurrency }, (_, place) => work(share(place))));
  return latencies;
}

const [name, url, scenario, ...numbers] = process.argv.slice(2);
const [concurrency, calls] = numbers.map(Number);
const call = CLIENTS[name](url, concurrency)[scenario];

async function measure(calls) {
  // First calls open connections, and before a later part what a call needs has left the processor's caches.
  await run(call, concurrency, concurrency * 2);
  const before = process.cpuUsage();
  const begun = process.hrtime.bigint();
  const latencies = (await run(call, concurrency, calls)).sort((a, b) => a - b);
  const wall = Number(process.hrtime.bigint() - begun) / 1e3;
  const { user, system } = process.cpuUsage(before);
  const at = (share) => latencies[Math.floor(((latencies.length - 1) * share) / 100)];
  console.log(
    JSON.stringify({ calls: latencies.length, cpu_us: user + system, wall_us: wall, p50_us: at(50), p99_us: at(99) }),
  );
}

await measure(calls);
for await (const line of createInterface({ input: process.stdin })) await measure(Number(line));
process.exit(0);
