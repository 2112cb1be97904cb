// `startSandbox()`: every member once, and that no sandbox outlives whoever started it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { inspect } from "node:util";

import { dist, rejection, run, sdk, testing } from "./support.mjs";

const { startSandbox, SandboxError } = testing;
const ANNA = "+15551234567";
const BEN = "+15557654321";
const skip = process.env.BLOOMCHATS_BIN ? false : "BLOOMCHATS_BIN names no sandbox";
const options = { skip };

let sandbox;
before(async () => (sandbox = skip ? undefined : await startSandbox()));
after(() => sandbox?.close());

test("a person receives and does things", options, async () => {
  const world = await sandbox.namespace({ frozen: true });
  const anna = world.phone(ANNA);
  const { v2 } = world.blooio();
  const sent = await v2.messages.send(ANNA, { text: "Hello", attachments: ["https://example.com/a.png"] });
  const [message] = await anna.inbox();
  assert.deepEqual([message.v2_id, message.text, message.type, message.attachments, message.group_id], [sent.message_id, "Hello", "media", ["https://example.com/a.png"], null]);
  assert.equal(message.sent_at, await world.clock.now());
  await world.clock.advance(1000);
  assert.equal((await anna.inbox())[0].status, "delivered");

  const answer = await anna.write("Hi", { attachments: ["https://example.com/b.png"], replyTo: message.id });
  assert.equal(answer.to, message.from);
  assert.equal((await v2.messages.get(ANNA, answer.v2_message_id)).text, "Hi");
  assert.equal((await anna.react("love", { message: message.id })).message_id, message.id);
  await v2.polls.send(ANNA, ["Yes", "No"], { title: "Tea?" });
  const poll = (await anna.inbox())[1];
  assert.deepEqual(poll.poll, { title: "Tea?", options: ["Yes", "No"] });
  assert.deepEqual([(await anna.vote(0)).message_id, (await anna.vote("No")).message_id], [poll.id, poll.id]);
  for (const act of ["startTyping", "stopTyping", "read", "shareContactCard"]) assert.equal((await anna[act]()).chat_id, answer.chat_id, act);
  assert.ok((await anna.askPoll("When?", ["Now", "Later"])).message_id);

  const { group_id: group } = await v2.groups.create("Two", { members: [ANNA, BEN] });
  await anna.renameGroup(group, "Both");
  await anna.setGroupIcon(group, "https://example.com/c.png");
  assert.equal((await v2.groups.get(group)).name, "Both");
});

test("time stands still and moves", options, async () => {
  const { clock } = await sandbox.namespace({ frozen: true, now: 1_800_000_000_000 });
  assert.deepEqual([await clock.frozen(), await clock.now()], [true, 1_800_000_000_000]);
  await clock.advance(1500);
  assert.equal(await clock.now(), 1_800_000_001_500);
  await clock.set(1_900_000_000_000);
  assert.equal(await clock.now(), 1_900_000_000_000);
  await clock.run();
  assert.equal(await clock.frozen(), false);
  await clock.freeze();
  assert.equal(await clock.frozen(), true);
});

test("faults, limits, switches, lines, logs, reset", options, async () => {
  const world = await sandbox.namespace();
  await world.faults.replace([{ action: "status", path: "/v2/*", status: 503 }]);
  await world.faults.add("pass");
  await world.blooio({ maxRetries: 1 }).v2.me.get();
  assert.deepEqual((await world.faults.script()).map(({ hits }) => hits), [1, 1]);
  assert.deepEqual((await world.requests()).map(({ status, fault }) => [status, fault]), [[503, true], [200, true]]);
  await world.faults.clear();
  assert.deepEqual(await world.faults.script(), []);

  await world.setSwitches({ send_status: 202 });
  assert.equal((await world.switches()).send_status, 202);
  await world.setLimit("v2", 0);
  assert.ok((await rejection(world.blooio({ maxRetries: 0 }).v2.me.get())) instanceof sdk.RateLimitError);
  await world.setLimit("v2", null);
  const { to } = await world.phone(ANNA).write("Hi");
  await world.setLine(to, { status: "suspended" });
  await world.reset();
  assert.deepEqual([await world.requests(), (await world.switches()).send_status], [[], 201]);
  assert.ok((await world.bloomchats().contacts.list().all()).length > 100);
});

test("webhooks arrive and fail", options, async () => {
  const world = await sandbox.namespace({ frozen: true });
  const receiver = await world.receiver({ status: 500 });
  const hook = await world.blooio().v2.webhooks.create(receiver.url, { webhookType: "message" });
  await world.phone(ANNA).write("Hi");
  await world.clock.advance(0);
  assert.deepEqual((await world.deliveries()).map(({ state }) => state), ["pending"]);
  await receiver.answer(204);
  await world.clock.advance(60_000);
  const [first, second] = await receiver.received();
  assert.deepEqual([first.status, second.status, first.body], [500, 204, second.body]);
  assert.equal(sdk.webhooks.verify(second.body, second.headers, hook.signing_secret, { now: await world.clock.now() }).type, "message.received");
  const [delivery] = await world.deliveries();
  assert.deepEqual([delivery.state, delivery.attempts.map(({ status }) => status)], ["delivered", [500, 204]]);
});

test("refusals say why, and keys are not shown", options, async () => {
  const refused = await rejection(sandbox.setSwitches({ no_such: 1 }));
  assert.ok(refused instanceof SandboxError && refused.status === 400 && /no_such/.test(refused.message));
  assert.match((await rejection(startSandbox({ switches: { no_such: 1 } }))).message, /no_such/);
  assert.doesNotMatch(inspect(sandbox, { depth: 5, showHidden: true }), /bl_sandbox|dmtb_sandbox/);
});

test("namespaces do not see each other, and the environment points here", options, async () => {
  const [one, two] = await Promise.all([sandbox.namespace(), sandbox.namespace()]);
  await one.blooio().v2.messages.send(ANNA, { text: "Hello" });
  assert.deepEqual([(await one.phone(ANNA).inbox()).length, (await two.phone(ANNA).inbox()).length], [1, 0]);
  await two[Symbol.asyncDispose]();
  assert.deepEqual(one.environment, { BLOOIO_BASE_URL: one.url, BLOOIO_API_KEY: one.blooioApiKey, BLOOMCHATS_BASE_URL: one.url, BLOOMCHATS_API_KEY: one.bloomchatsApiKey });
});

test("a client of it takes another key, or who supplies one", options, async () => {
  const [one, two] = [await sandbox.namespace(), await sandbox.namespace()];
  await one.blooio({ apiKey: async () => two.blooioApiKey }).v2.messages.send(ANNA, { text: "Hello" });
  assert.deepEqual([(await one.phone(ANNA).inbox()).length, (await two.phone(ANNA).inbox()).length], [0, 1]);
  assert.ok((await rejection(one.bloomchats({ apiKey: "dmtb_none" }).contacts.list().all())) instanceof sdk.AuthenticationError);
});

test("it starts at once, and close ends it", options, async (t) => {
  const begun = performance.now();
  const own = await startSandbox({ seed: 7 });
  t.diagnostic(`ready after ${Math.round(performance.now() - begun)} ms`);
  const gone = await watch(own.url);
  await own.close();
  await gone();
  assert.match((await rejection(own.clock.now())).message, /no sandbox answers/);
});

/** Names in BLOOMCHATS_BIN a script that tells its number, and then does this; how to await and read that number. */
function stead(t, does) {
  const folder = mkdtempSync(join(tmpdir(), "no-sandbox-"));
  const [script, pid] = [join(folder, "bloomchats"), join(folder, "pid")];
  writeFileSync(script, `#!/bin/sh\necho $$ > ${pid}.new; mv ${pid}.new ${pid}\n${does}\n`, { mode: 0o755 });
  const { BLOOMCHATS_BIN, BLOOMCHATS_SANDBOX_URL } = process.env;
  t.after(() => {
    for (const [name, value] of Object.entries({ BLOOMCHATS_BIN, BLOOMCHATS_SANDBOX_URL })) if (value !== undefined) process.env[name] = value; else delete process.env[name];
    rmSync(folder, { recursive: true });
  });
  process.env.BLOOMCHATS_BIN = script;
  delete process.env.BLOOMCHATS_SANDBOX_URL;
  return async () => {
    while (!existsSync(pid)) await new Promise(setImmediate);
    return Number(readFileSync(pid, "utf8"));
  };
}

for (const [does, problem] of [
  ["sleep 60", /bloomchats sandbox .*` said nothing for 10 s and was killed.*BLOOMCHATS_BIN/],
  ["printf half; sleep 60", /said nothing/],
  ["exit 3", /is no sandbox.*\(exit code 3\).*BLOOMCHATS_BIN/],
  ["kill -9 $$", /is no sandbox.*\(SIGKILL\)/],
  ["echo '[]'", /is no sandbox/],
  [`echo '{"url":"http://127.0.0.1:9"}'`, /is no sandbox/],
  ["exec tr '\\0' x </dev/zero 2>/dev/null", /is no sandbox/],
]) {
  test(`what is no sandbox is told and ended: ${does}`, async (t) => {
    const started = stead(t, does);
    if (does.endsWith("sleep 60")) t.mock.timers.enable({ apis: ["setTimeout"] });
    const failed = rejection(startSandbox());
    const pid = await started();
    if (does.endsWith("sleep 60")) t.mock.timers.tick(10_000);
    const error = await failed;
    assert.ok(error instanceof SandboxError);
    assert.match(error.message, problem);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });
}

test("one that does not end is killed", async (t) => {
  stead(t, `echo '{"url":"http://127.0.0.1:9","blooio_api_key":"a","bloomchats_api_key":"b"}'\nexec sleep 60`);
  const own = await startSandbox();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const closed = own.close();
  t.mock.timers.tick(5000);
  await closed;
});

test("one that runs is found; where there is none, the error says how to get it", options, async () => {
  const found = await run(program("await sandbox.close(); console.log(sandbox.url)"), { env: { BLOOMCHATS_SANDBOX_URL: `${sandbox.url}/` } });
  assert.equal(found.output.trim(), sandbox.url);
  assert.ok((await sandbox.clock.now()) > 0);
  const folder = mkdtempSync(join(tmpdir(), "no-sandbox-"));
  try {
    const none = { BLOOMCHATS_BIN: "", PATH: folder };
    assert.match((await run(program(""), { env: none })).output, /npm install --save-dev @bloomchats\/sandbox/);
    writeFileSync(join(folder, "bloomchats"), "#!/bin/sh\necho no\n", { mode: 0o755 });
    assert.match((await run(program(""), { env: none })).output, /is no sandbox/);
    assert.match((await run(program(""), { env: { BLOOMCHATS_BIN: join(folder, "nothing") } })).output, /cannot be started: ENOENT/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one that is forgotten keeps no process alive", options, async () => {
  const { code, ms, output } = await run(program("await sandbox.blooio().v2.me.get(); console.log('done')"));
  assert.equal(code, 0, output);
  assert.ok(ms < 10_000, `${ms} ms`);
});

test("it goes when its process is killed", options, () => goneAfterKill("setInterval(() => {}, 1000);"));

test("it goes when its process is killed and a child of that lives on", options, async () => {
  await goneAfterKill(`
    const { spawn } = await import("node:child_process");
    spawn(process.execPath, ["--eval", "setTimeout(() => {}, 15_000)"], { stdio: "ignore", detached: true });
  `);
});

test("it goes with the worker that started it", options, async () => {
  const result = await run(`
    import { Worker } from "node:worker_threads";
    import { connect } from "node:net";
    const source = \`
      import { parentPort } from "node:worker_threads";
      const { startSandbox } = await import(process.env.DIST + "testing.mjs");
      parentPort.postMessage((await startSandbox()).url);
      setInterval(() => {}, 1000);
    \`;
    const worker = new Worker(source, { eval: true });
    worker.once("message", (url) => {
      const socket = connect(new URL(url).port, "127.0.0.1", () => worker.terminate());
      socket.on("error", () => {}).once("close", () => console.log("gone"));
    });
  `);
  assert.match(result.output, /gone/);
});

/** A program with a sandbox, or with why there is none. */
function program(rest) {
  return `
    const { startSandbox } = await import(process.env.DIST + "testing.mjs");
    const sandbox = await startSandbox().catch((error) => (console.log(error.message), process.exit(1)));
    ${rest}
  `;
}

/** Resolves to a function once a connection is there; the function, when the sandbox has gone, which would keep it for a minute. */
async function watch(url) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  await once(socket, "connect");
  return () => closed;
}

async function goneAfterKill(rest) {
  const args = ["--input-type=module", "--eval", program(`${rest}; console.log(sandbox.url);`)];
  const child = spawn(process.execPath, args, { env: { ...process.env, DIST: dist }, stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  const gone = await watch(url);
  child.kill("SIGKILL");
  await gone();
}
