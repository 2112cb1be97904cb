// Runs the conformance corpus through the package's public surface on scripted clients.
//
//   node tests/runners/node/run.mjs [id prefix…]
//
// Prints what differs, fails when anything does or when there is nothing to run, and writes the ids that passed.

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, isDeepStrictEqual } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const sdk = await import(join(root, "bindings-node/dist/index.mjs"));
const { scripted } = await import(join(root, "bindings-node/dist/testing.mjs"));
const { BloomChatsError, raw, webhooks } = sdk;

const UUID4 = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const PRODUCTS = { blooio: sdk.Blooio, bloomchats: sdk.BloomChats };

// What the machine sets must not reach a case.
for (const name of ["BLOOIO_API_KEY", "BLOOIO_BASE_URL", "BLOOMCHATS_API_KEY", "BLOOMCHATS_BASE_URL"]) delete process.env[name];

/** JSON as this host would hold it: whole numbers beyond 2^53 are bigints. */
function parse(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"bigint:${token}"`);
  return JSON.parse(marked, (_, value) =>
    typeof value === "string" && /^bigint:-?\d+$/.test(value) ? BigInt(value.slice(7)) : value);
}

function cases() {
  const folder = join(root, "tests/conformance");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  const found = files.flatMap((name) => parse(readFileSync(join(folder, name), "utf8")).cases);
  const ids = new Set(found.map(({ id }) => id));
  if (found.length === 0 || ids.size !== found.length) throw new Error("the corpus has no cases, or one id twice");
  const wanted = process.argv.slice(2);
  return wanted.length === 0 ? found : found.filter(({ id }) => wanted.some((prefix) => id.startsWith(prefix)));
}

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** Wire settings as options: camelCase, durations without their unit. */
function settings(wire) {
  return Object.fromEntries(Object.entries(wire).map(([name, value]) => [camel(name.replace(/_ms$/, "")), value]));
}

/** Calls the public method behind an operation's name: what it names comes in order, the rest in one object. */
function invoke(client, call) {
  const [, ...path] = call.operation.split(".").map(camel);
  const verb = path.pop();
  const owner = path.reduce((at, name) => at[name], client);
  const names = /\(([^)]*)\)/.exec(Function.prototype.toString.call(owner[verb]))[1].split(",").map((name) => name.trim());
  const given = { ...("arguments_json" in call ? parse(call.arguments_json) : call.arguments) };
  for (const { field, filename, content_type: contentType, text, base64 } of call.files ?? []) {
    given[field] = { content: base64 === undefined ? Buffer.from(text) : Buffer.from(base64, "base64"), filename, contentType };
  }
  const rest = Object.fromEntries(Object.entries(given).map(([name, value]) => [camel(name), value]));
  const take = (name) => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const options = settings(call.options ?? {});
  const positional = names.filter((name) => !["params", "options"].includes(name)).map((name) => take(name.replace(/_$/, "")));
  // What a method has no place for still reaches core, as it does from untyped code.
  return names.includes("params") ? owner[verb](...positional, rest, options) : owner[verb](...positional, { ...options, ...rest });
}

async function run(client, call) {
  let called;
  try {
    called = invoke(client, call);
  } catch (error) {
    return failure(error);
  }
  if (called instanceof sdk.List) return list(called, call.pages);
  try {
    const response = await called.withResponse();
    const { status, attempts, idempotencyKey, requestId, model, value } = response;
    return { status, attempts, idempotency_key: idempotencyKey, request_id: requestId, model, value: raw(value), typed: value };
  } catch (error) {
    return failure(error);
  }
}

async function list(called, most = Infinity) {
  const pages = [];
  let told = {};
  try {
    for await (const page of called.pages()) {
      pages.push(raw(page.items));
      told = { model: page.model, status: page.status, attempts: page.attempts, request_id: page.requestId };
      if (pages.length >= most) break;
    }
    return { ...told, pages };
  } catch (error) {
    return { ...failure(error), ...(pages.length ? { pages } : {}) };
  }
}

function failure(error) {
  if (!(error instanceof BloomChatsError)) throw error;
  const { kind, status, code, attempts, argument, reason, body, result, cause } = error;
  const told = {
    kind, status, code, attempts, reason, body, result,
    // Options have our names. All others are the contract's, with nothing in upper case.
    argument: argument?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    maybe_sent: error.maybeSent, idempotency_key: error.idempotencyKey, request_id: error.requestId,
    retry_after_s: error.retryAfter === undefined ? undefined : error.retryAfter / 1000, last_status: error.lastStatus, resets_at: error.resetsAt,
    message: `${error.message} ${inspect(error)} ${JSON.stringify(error)}`,
  };
  return { error: cause instanceof BloomChatsError ? { ...told, cause: failure(cause).error } : told };
}

function webhook({ verify, sign, parse: parsed }) {
  try {
    if (sign) return { header: webhooks.sign(sign.body, sign.secret, sign.at_s * 1000) };
    const { now_s, tolerance_s, secrets, header, body } = verify ?? {};
    const tolerance = tolerance_s === undefined ? {} : { tolerance: tolerance_s * 1000 };
    return { event: verify ? webhooks.verify(body, header, secrets, { now: now_s * 1000, ...tolerance }) : webhooks.parse(parsed.body) };
  } catch (error) {
    return failure(error);
  }
}

async function happened({ webhook: given, client: { product, ...client } = {}, transcript, calls }) {
  if (given) return webhook(given);
  const events = [];
  const observer = ({ startedMs: started_ms, durationMs: duration_ms, retryInMs: retry_in_ms, ...event }) =>
    events.push({ ...event, started_ms, duration_ms, ...(retry_in_ms === undefined ? {} : { retry_in_ms }) });
  let opened;
  try {
    // A scripted client makes up for a missing key; a real one does not.
    const open = client.api_key === null ? () => new PRODUCTS[product]({ ...settings(client), apiKey: undefined }) : scripted;
    opened = open(PRODUCTS[product], transcript ?? { exchanges: [] }, { ...settings(client), observer });
  } catch (error) {
    return { requests: [], request_count: 0, waits_ms: [], results: [failure(error)] };
  }
  const results = [];
  for (const call of calls) results.push(await run(opened, call));
  const requests = opened.requests.map((request) => ({ ...request, headers: { ...request.headers } }));
  for (const { headers } of requests) delete headers["user-agent"];
  return { requests, request_count: requests.length, waits_ms: opened.waitsMs, events, results };
}

/** Generated keys as `{{key}}`, `{{key2}}`, … in the order they went out. */
function rename(value, names) {
  if (typeof value === "string") return value.replace(UUID4, (key) => names.get(key) ?? key);
  if (Array.isArray(value)) return value.map((item) => rename(item, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, rename(field, names)]));
}

function keysOf(requests = []) {
  const keys = new Set(requests.flatMap(({ headers }) => headers["idempotency-key"]?.match(UUID4) ?? []));
  return new Map([...keys].map((key, at) => [key, at === 0 ? "{{key}}" : `{{key${at + 1}}}`]));
}

/** Every key of `expected` must hold in `actual`; nothing else is compared, but for an error nobody expected. */
function* differences(expected, actual, at = "") {
  if (actual.error && !expected.error) yield `${at}: an error: ${inspect(actual.error, { depth: 4 })}`;
  const { message = "" } = actual;
  for (const [key, wanted] of Object.entries(expected)) {
    const got = actual[key];
    const where = `${at} ${key}`.trim();
    if (["error", "cause", "event"].includes(key) && got) yield* differences(wanted, got, where);
    else if (["requests", "results"].includes(key) && Array.isArray(got)) {
      if (wanted.length !== got.length) yield `${where}: ${wanted.length} expected, got ${inspect(got, { depth: 4 })}`;
      for (const [i, one] of wanted.entries()) if (i < got.length) yield* differences(one, got[i], `${where}[${i}]`);
    } else if (key === "read") {
      for (const [path, value] of Object.entries(wanted)) {
        const read = path.split(".").reduce((at, name) => at?.[name], actual.typed) ?? null;
        if (!isDeepStrictEqual(value, read)) yield `${where} ${path}\n    expected ${inspect(value)}\n    got      ${inspect(read)}`;
      }
    } else if (key === "message_contains" ? ![wanted, camel(wanted)].some((text) => message.includes(text)) : key === "message_excludes" ? message.includes(wanted) : !isDeepStrictEqual(plain(wanted), plain(got))) {
      yield `${where}\n    expected ${inspect(wanted, { depth: 9 })}\n    got      ${inspect(key in actual ? got : message, { depth: 9 })}`;
    }
  }
}

/** As this host reads it: digits beyond 2^53 are gone, absent is null. */
const plain = (value) => JSON.parse(JSON.stringify(value ?? null, (_, field) => (typeof field === "bigint" ? Number(field) : field)));

const passed = [];
let failed = 0;
for (const one of cases()) {
  let found;
  try {
    const actual = await happened(one);
    found = [...differences(one.expect, rename(actual, keysOf(actual.requests)))];
  } catch (error) {
    found = [error.stack];
  }
  if (found.length === 0) passed.push(one.id);
  else console.error(`${++failed}. ${one.id}: ${one.about ?? ""}\n  ${found.join("\n  ")}`);
}
const out = process.env.BLOOMCHATS_CONFORMANCE_OUT ?? join(root, "target/conformance/node.txt");
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, passed.sort().map((id) => `${id}\n`).join(""));
console.log(`node: ${passed.length} cases passed, ${failed} failed`);
if (failed > 0 || passed.length === 0) process.exitCode = 1;
