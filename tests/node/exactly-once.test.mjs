// Whatever becomes of each attempt, the recipient has one message, or the caller an error that says what may have happened: a sample of
// schedules over real connections to the sandbox. All of them, on virtual time, are for the core's own tests.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { random, sdk, testing } from "./support.mjs";

const AT_ONCE = 24;
const LINE = "+12025550101";

/**
 * What becomes of an attempt. `handled`: the service did what was asked. `then`: the client has an `answer`, a `refusal`, was asked to
 * come again `later`, or is in `doubt`.
 */
const FAULTS = [
  { fault: "drop", then: "doubt" },
  { fault: "drop_answer", handled: true, then: "doubt" },
  { fault: "reset", then: "doubt" },
  { fault: "reset_answer", handled: true, then: "doubt" },
  { fault: "half_answer", handled: true, then: "doubt" },
  { fault: "slow_answer;bytes=1;ms=500", handled: true, then: "doubt" },
  { fault: "slow_answer;bytes=40;ms=1", handled: true, then: "answer" },
  { fault: "status;status=500", then: "doubt" },
  { fault: "status_answer;status=503", handled: true, then: "doubt" },
  { fault: "status;status=403;code=forbidden", then: "refusal" },
  { fault: "throttle;retry_after=0", then: "later" },
];
const PASS = { fault: "pass", handled: true, then: "answer" };

/**
 * Operations that make something: `make` does so for the `number`th case, `count` says how often it was made. `trusted`: the service
 * knows a key again.
 */
const OPERATIONS = {
  "v2 send": {
    trusted: true,
    make: ({ client, number, options }) => client.v2.messages.send(phone(number), { text: `text ${number}` }, options),
    count: inbox,
  },
  "v4 send": {
    trusted: true,
    make: ({ client, number, options }) => client.v4.messages.send(phone(number), { from: LINE, text: `text ${number}` }, options),
    count: inbox,
  },
  "v4 send to a channel": {
    trusted: true,
    make: ({ client, number, options }) => client.v4.messages.sendToChannel(LINE, phone(number), { text: `text ${number}` }, options),
    count: inbox,
  },
  "v4 send to a chat": {
    trusted: true,
    prepare: async ({ client, number }) => (await client.v4.messages.send(phone(number), { from: LINE, text: "before" })).chat_id,
    make: ({ client, number, given, options }) => client.v4.messages.sendToChat(given, { text: `text ${number}` }, options),
    count: inbox,
  },
  "v2 reaction": {
    prepare: async ({ client, number }) => (await client.v2.messages.send(phone(number), { text: "before" })).message_id,
    make: ({ client, number, given, options }) => client.v2.reactions.add(phone(number), given, "+love", {}, options),
    count: async ({ client, number, given }) => (await client.v2.messages.get(phone(number), given)).reactions.length,
  },
  "v2 contact": {
    make: ({ client, number, options }) => client.v2.contacts.create(phone(number), {}, options),
    count: async ({ client, number }) => {
      const { value } = await client.v2.request("GET", "/contacts", { query: { q: phone(number) } }).withResponse();
      return value.contacts.filter(({ identifier }) => identifier === phone(number)).length;
    },
  },
};

const phone = (number) => `+1555${String(1_000_000 + number)}`;

async function inbox({ world, number }) {
  const messages = await world.phone(phone(number)).inbox();
  return messages.filter(({ text }) => text === `text ${number}`).length;
}

/** What must come of it, by the rules as a reader of the README would put them: how it ends, after how many attempts. */
function foretold(schedule, trusted) {
  let [attempts, handled, doubt] = [0, 0, false];
  for (const step of [...schedule, PASS]) {
    attempts += 1;
    handled += Number(step.handled ?? false);
    doubt ||= step.then === "doubt" || step.then === "answer";
    const again = step.then === "later" || (step.then === "doubt" && trusted);
    if (!again || attempts === 2) return { sent: step.then === "answer", attempts, handled, doubt };
  }
}

/** Plays a schedule, and tells how often its key must have arrived. */
async function play(world, client, operation, number, schedule) {
  const { trusted = false, prepare, make, count } = operation;
  const story = `${number}: ${schedule.map(({ fault }) => fault).join(", ")}`;
  const at = { world, client, number, given: await prepare?.({ client, number }) };
  const expected = foretold(schedule, trusted);
  const options = { headers: { "x-sandbox-fault": schedule.map(({ fault }) => fault).join(", ") } };
  if (schedule.some(({ fault }) => fault.includes("ms=500"))) options.attemptTimeout = 3000;
  const end = await make({ ...at, options }).withResponse().catch((error) => error);
  const made = await count(at);
  assert.equal(made, Math.min(expected.handled, 1), `${story}: what is there afterwards`);
  assert.equal(end.attempts, expected.attempts, `${story}: ${end.stack ?? "sent"}`);
  const arrivals = { story, key: end.idempotencyKey, times: end.attempts };
  if (!(end instanceof Error)) {
    assert.ok(expected.sent, story);
    return arrivals;
  }
  assert.ok(!expected.sent && end instanceof sdk.BloomChatsError, `${story}: ${end.stack}`);
  assert.equal(end.maybeSent, expected.doubt, `${story}: maybeSent`);
  // Whoever is told that it was not sent, or whose key is known again, may go on.
  if (!trusted && end.maybeSent) return arrivals;
  await make({ ...at, options: { idempotencyKey: end.idempotencyKey } });
  assert.equal(await count(at), 1, `${story}: after it was resumed`);
  return { ...arrivals, times: end.attempts + 1 };
}

const skip = process.env.BLOOMCHATS_BIN ? false : "BLOOMCHATS_BIN names no sandbox";
let sandbox;
before(async () => (sandbox = skip ? undefined : await testing.startSandbox()));
after(() => sandbox?.close());

for (const [name, operation] of Object.entries(OPERATIONS)) {
  test(`${name}: one fault, or two in a row`, { skip, timeout: 120_000 }, async () => {
    const world = await sandbox.namespace();
    const pairs = FAULTS.flatMap((first) => FAULTS.map((second) => [first, second]));
    const next = random(Object.keys(OPERATIONS).indexOf(name));
    // The first operation stands for its class with all pairs, the others with every fourth.
    const schedules = [...FAULTS.map((fault) => [fault]), ...pairs.filter(() => name === "v2 send" || next() < 0.25)];
    const cases = schedules.entries();
    const played = [];
    const player = async () => {
      const client = world.blooio({ maxRetries: 1 });
      // A first call takes long enough to upset an attempt's timeout.
      await client.v2.me.get();
      for (const [number, schedule] of cases) played.push(await play(world, client, operation, number, schedule));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, player));
    const keys = (await world.requests()).map(({ idempotency_key }) => idempotency_key);
    for (const { story, key, times } of played) assert.equal(keys.filter((other) => other === key).length, times, `${story}: requests`);
  });
}

/** What an aborted call leaves behind, and that it can be taken up again. */
async function taken(at, { trusted, make, count }, error) {
  assert.ok(error instanceof sdk.AbortError, error.stack);
  const made = await count(at);
  assert.ok(made === 0 || (made === 1 && error.maybeSent), `${at.number}: ${made} made, maybeSent ${error.maybeSent}`);
  if (!trusted && error.maybeSent) return made;
  await make({ ...at, options: { idempotencyKey: error.idempotencyKey } });
  assert.equal(await count(at), 1, `${at.number}: after it was resumed`);
  return made;
}

for (const [name, operation] of Object.entries(OPERATIONS)) {
  test(`${name}: aborted before, while and after it is handled`, { skip, timeout: 120_000 }, async (t) => {
    const world = await sandbox.namespace();
    const client = world.blooio();
    const { prepare, make, count } = operation;
    let last = 0;
    const begin = async (times, options) => {
      const places = Array.from({ length: times }, () => ({ world, client, number: ++last, controller: new AbortController() }));
      for (const at of places) at.given = await prepare?.(at);
      const call = (at) => make({ ...at, options: { ...options, signal: at.controller.signal } }).catch((error) => error);
      return { places, call };
    };
    const until = async (reached) => {
      while (!(await reached()));
    };

    await t.test("before", async () => {
      const { places, call } = await begin(3);
      for (const at of places) {
        at.controller.abort();
        assert.equal(await taken(at, operation, await call(at)), 0);
      }
    });

    await t.test("when it has arrived", async () => {
      const { places, call } = await begin(10);
      await world.faults.replace([{ action: "delay", ms: 60_000, times: null }]);
      const calls = places.map(call);
      await until(async () => (await world.faults.script())[0].hits === places.length);
      for (const { controller } of places) controller.abort();
      const errors = await Promise.all(calls);
      await world.faults.clear();
      for (const [i, at] of places.entries()) {
        assert.deepEqual([errors[i].maybeSent, errors[i].attempts], [true, 1]);
        assert.equal(await taken(at, operation, errors[i]), 0);
      }
    });

    await t.test("when it was handled", async () => {
      const { places, call } = await begin(10, { headers: { "x-sandbox-fault": "delay_answer;ms=60000" } });
      const calls = places.map(call);
      for (const at of places) await until(async () => (await count(at)) === 1);
      for (const { controller } of places) controller.abort();
      for (const [i, at] of places.entries()) assert.equal(await taken(at, operation, await calls[i]), 1);
    });

    await t.test("at any moment, fifty times", async () => {
      const { places, call } = await begin(50, { headers: { "x-sandbox-fault": "delay_answer;ms=5" } });
      const next = random(13);
      const ends = places.map(async (at) => {
        const ended = call(at);
        setTimeout(() => at.controller.abort(), next() * 60);
        const end = await ended;
        if (end instanceof Error) await taken(at, operation, end);
        else assert.equal(await count(at), 1);
      });
      await Promise.all(ends);
    });
  });
}
